// An application that greets people with a note at their first start. Three people start for the first time while
// nothing connects them, and all three write in that note.
import { readFileSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serveSite, type ServedSite } from '@rejoin/notes/serve-site.ts'
import type { Page } from 'playwright'
import { build } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Text } from 'yjs'
import { until } from '../chaos/harness/until.ts'
import type { Profile } from './harness/browser.ts'
import { reconnectMs } from './harness/notes-page.ts'
import { openPlace } from './harness/place.ts'

const root = join(import.meta.dirname, 'harness', 'first-note')
let folder = ''
let site: ServedSite
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rejoin-first-note-'))
  await build({ root, configFile: false, logLevel: 'warn', build: { outDir: folder, emptyOutDir: true } })
  site = await serveSite({ port: 0, folder })
})
afterAll(async () => {
  await site.close()
  rmSync(folder, { recursive: true, force: true })
})

const sentence = 'This is your first note.'
const names = ['Alice', 'Bob', 'Carol'] as const

interface Person {
  readonly name: string
  readonly profile: Profile
  readonly page: Page
}

test('[P1, K2] a note that three devices greet with offline says its sentence once, and keeps what all three wrote', {
  timeout: 120_000,
}, async () => {
  const { relay, wire, launch } = await openPlace(null)
  const people: Person[] = []
  wire.cut()
  for (const name of names) {
    const profile = await launch(name)
    const page = await profile.open(`${site.url}?user=${name}&relay=ws://127.0.0.1:${wire.port}/v1/sync`)
    await isOpen(page)
    await addWord(page, name)
    people.push({ name, profile, page })
  }
  for (const { name, page } of people) expect(await read(page)).toMatchObject({ body: ` ${name}` })

  wire.heal()
  const merged = await untilLevel(people)
  expect(merged.title).toBe('Welcome')
  expect(merged.conflicts).toBe(0)
  expect((merged.opening + merged.body).split(sentence)).toHaveLength(2)
  expect(merged.body.trim().split(' ').sort()).toEqual([...names])

  for (const { page } of people) {
    await page.reload()
    await isOpen(page)
  }
  expect(await untilLevel(people)).toEqual(merged)

  // The relay loses everything while all three have the note open.
  await relay.kill()
  for (const end of ['', '-wal', '-shm']) rmSync(relay.path + end, { force: true })
  await relay.start()
  await people[0]?.page.evaluate(() =>
    window.firstNotes?.notes.insert({ title: 'After the loss' }).reached('relay'),
  )
  expect(await untilLevel(people)).toEqual(merged)

  // Who does not want the greeting does not get it again.
  await people[1]?.page.evaluate(() => window.firstNotes?.notes.delete('welcome'))
  for (const { page } of people) {
    await until(async () => (await read(page)) === null, 'the note is gone')
    await page.reload()
    await isOpen(page)
    expect(await read(page)).toBeNull()
  }
  for (const { profile } of people) expect(profile.complaints).toEqual([])
})

test('how that is done stands in the documentation of `text`, as it was done here', () => {
  const docs = readFileSync(join(import.meta.dirname, '../../packages/resolve/docs/strategies.md'), 'utf8')
  const seed = readFileSync(join(root, 'seed.ts'), 'utf8')
  const text = docs.slice(docs.indexOf('\n## text'))
  for (const part of [seed.slice(seed.indexOf('const notes'), seed.indexOf('\nexport type')), sowing(seed)]) {
    expect(text).toContain(part)
  }
  expect(text).toContain(`with the body "${sentence}"`)
})

/** The lines that sow, without the function around them. */
function sowing(source: string): string {
  const from = source.indexOf('  if (replica.seeds')
  return source
    .slice(from, source.indexOf('  return replica'))
    .split('\n')
    .map(line => line.replace(/^ {2}/, ''))
    .join('\n')
}

async function isOpen(page: Page): Promise<void> {
  await page.waitForFunction(() => window.firstNotes !== undefined)
}

function addWord(page: Page, word: string): Promise<void> {
  return page.evaluate(async added => {
    const handle = window.firstNotes?.notes.text('welcome', 'body')
    await handle?.whenReady
    const body = handle?.text as Text
    body.insert(body.length, ` ${added}`)
    handle?.close()
    while (window.firstNotes?.status.get().unsaved !== 0)
      await new Promise(resolve => setTimeout(resolve, 10))
  }, word)
}

interface Seen {
  readonly title: string
  readonly opening: string
  readonly body: string
  readonly conflicts: number
}

function read(page: Page): Promise<Seen | null> {
  return page.evaluate(async () => {
    const { firstNotes } = window
    const note = firstNotes?.notes.get('welcome')
    if (firstNotes === undefined || note === undefined) return null
    const handle = firstNotes.notes.text('welcome', 'body')
    await handle.whenReady
    const body = String(handle.text)
    handle.close()
    return { title: note.title, opening: note.opening, body, conflicts: firstNotes.conflicts.get().length }
  })
}

/** What all of them read once nothing is on its way. */
async function untilLevel(people: readonly Person[]): Promise<Seen> {
  let seen: readonly (Seen | null)[] = []
  await until(
    async () => {
      const synced = await Promise.all(
        people.map(({ page }) => page.evaluate(() => window.firstNotes?.status.get().synced)),
      )
      seen = await Promise.all(people.map(({ page }) => read(page)))
      return synced.every(Boolean) && new Set(seen.map(one => JSON.stringify(one))).size === 1
    },
    () => `all three read the same: ${JSON.stringify(seen)}`,
    reconnectMs,
  )
  const [one] = seen
  if (one === null || one === undefined) throw new Error('the note is gone')
  return one
}
