// What the README shows runs as it stands, and what the documents point at is there.
import 'fake-indexeddb/auto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Status } from '@rejoin/client'
import { documentKey, type RelayStore } from '@rejoin/core'
import { createMemoryDisk, createRelay, nodeRuntime } from '@rejoin/relay'
import { expect, onTestFinished, test, vi } from 'vitest'
import { compileExamples, examplesOf, runExample } from './example.ts'

/** What the example's own names are, and what was so between its lines. */
interface Example {
  readonly replica: AsyncDisposable
  readonly note: { readonly id: string }
  readonly atOnce: unknown
  readonly whenLocal: Status
  readonly whenRelay: Status
}

const root = join(import.meta.dirname, '..', '..')
const readme = read('README.md')
const [example = ''] = examplesOf('README.md')
const relayAddress = 'ws://localhost:4455'

test('the README holds its fifteen lines', () => {
  expect(example.split('\n').filter(line => line.trim() !== '').length).toBe(15)
  expect(readme).toContain('## Fifteen lines')
})

test('the fifteen lines of the README compile as they stand, and not with a title that is no string', () => {
  expect(compileExamples(example)).toBe('')
  expect(compileExamples(replaceOnce(example, "title: 'Hello'", 'title: 1'))).toContain('TS2322')
}, 60_000)

test('the fifteen lines of the README do what their comments say', async () => {
  let store: RelayStore | null = null
  const disk = createMemoryDisk(nodeRuntime.randomBytes)
  const relay = createRelay({ development: true, store: async () => (store = await disk.open()) })
  onTestFinished(() => relay.close())
  const { url } = await relay.listen({ port: 0 })
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  onTestFinished(() => log.mockRestore())

  const code = [
    [relayAddress, url],
    ['// visible at once', '\nexport const atOnce = replica.notes.get(note.id)'],
    ["// on this device's disk", '\nexport const whenLocal = replica.status.get()'],
    ["// on a relay's disk", '\nexport const whenRelay = replica.status.get()'],
  ].reduce((text, [from = '', to = '']) => replaceOnce(text, from, to), example)
  const ran = (await runExample(`${code}\nexport { note, replica }\n`)) as Example
  onTestFinished(() => ran.replica[Symbol.asyncDispose]())

  expect(ran.atOnce).toMatchObject({ id: ran.note.id, title: 'Hello', color: 'amber', tags: ['new'] })
  expect(ran.whenLocal.persistence).toBe('indexeddb')
  expect(await stored()).toContain('Hello')
  expect(ran.whenRelay.pending).toBe(0)
  const rows = await (store as RelayStore | null)?.rows('team', [documentKey('notes', ran.note.id)])
  expect(rows?.size).toBe(1)
  expect(log.mock.calls.map(([shown]) => shown as unknown)).toEqual([[], ['Hello'], '0 to decide'])
})

test('every relative link of the documents leads to something', () => {
  const docs = readdirSync(join(root, 'packages')).flatMap(name =>
    [`packages/${name}/SPEC.md`, ...pagesOf(`packages/${name}/docs`)].filter(page =>
      existsSync(join(root, page)),
    ),
  )
  expect(docs.length).toBeGreaterThan(3)
  const broken = ['README.md', ...docs].flatMap(page =>
    [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(match => (match[1] ?? '').replace(/#.*$/, ''))
      .filter(target => target !== '' && !/^[a-z]+:/.test(target))
      .filter(target => !existsSync(join(root, dirname(page), target)))
      .map(target => `${page}: ${target}`),
  )
  expect(broken).toEqual([])
})

test('every command that the README names is there', () => {
  const { scripts } = JSON.parse(read('package.json')) as {
    readonly scripts: Readonly<Record<string, string>>
  }
  const named = [...readme.matchAll(/(?:^|`)npm (?:run )?([a-z][\w:-]*)/gm)].map(match => match[1] ?? '')
  expect(named).toContain('start')
  expect(named.filter(name => scripts[name] === undefined)).toEqual([])
})

function replaceOnce(text: string, from: string, to: string): string {
  expect(text.split(from).length, `the README shows ${JSON.stringify(from)} once`).toBe(2)
  return text.replace(from, () => to)
}

/** Everything that the replica has in its database, as one text. */
async function stored(): Promise<string> {
  // Beside it is what all replicas of an origin share.
  const database = await answer(indexedDB.open('rejoin//team'))
  const chunks = await answer(database.transaction('journal').objectStore('journal').getAll())
  database.close()
  return chunks.map(({ bytes }: { readonly bytes: Uint8Array }) => String.fromCharCode(...bytes)).join('\n')
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

function pagesOf(folder: string): readonly string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => relative(root, join(root, folder, name)))
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}
