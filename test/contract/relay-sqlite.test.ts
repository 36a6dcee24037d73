// What only a store in a file has to keep: other processes, a full disk, a file that is not its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  documentKey,
  emptyFingerprint,
  noPositions,
  partName,
  RejoinError,
  writerFromBytes,
  type GenerationId,
  type SpaceCommit,
} from '@rejoin/core'
import { nodeRuntime, sqlite } from '@rejoin/relay'
import { createSimulatedClock } from '@rejoin/testkit'
import { expect, onTestFinished, test } from 'vitest'

test('a file that is open is refused in one line that names it', async () => {
  const path = createPath()
  const store = await sqlite(path)()
  const refused = await failureOf(sqlite(path)())
  expect(refused.code).toBe('storage-blocked')
  expect(refused.message).toContain(path)
  expect(refused.message).not.toContain('\n')
  await store.close()
  await (await sqlite(path)()).close()
})

test('a file that another process has open is refused until that process is dead', async () => {
  const path = createPath()
  const hold = `
    const { DatabaseSync } = require('node:sqlite')
    new DatabaseSync(process.argv[1] + '.lock').exec('begin exclusive')
    console.log('held')
    setInterval(() => {}, 1000)`
  const holder = spawn(process.execPath, ['-e', hold, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void holder.kill('SIGKILL'))
  await once(holder.stdout, 'data')
  expect((await failureOf(sqlite(path)())).code).toBe('storage-blocked')
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  await (await sqlite(path)()).close()
})

test('a backup can read the file while the relay writes it', async () => {
  const path = createPath()
  const store = await sqlite(path)()
  await store.commit(commitAt(1, 10))
  const reader = new DatabaseSync(path, { readOnly: true })
  reader.exec('begin')
  expect(reader.prepare('select count(*) as count from rows').get()?.['count']).toBe(1)
  await store.commit(commitAt(2, 10))
  reader.exec('commit')
  reader.close()
  await store.close()
})

test('[A1] a full disk refuses a group whole, and takes later commits again', async () => {
  const path = createPath()
  const store = await sqlite(path, { fileBytesMax: 1024 * 1024 })()
  await store.commit(commitAt(1, 10))
  const group = await Promise.allSettled([
    store.commit(commitAt(2, 10)),
    store.commit(commitAt(3, 2_000_000)),
  ])
  for (const one of group) expect(one.status === 'rejected' && one.reason.code).toBe('storage-full')
  expect((await store.loadSpace('team')).record?.position).toBe(1)
  expect((await store.feed('team', 0, 10)).length).toBe(1)
  expect((await store.rows('team', [documentKey('notes', '3')])).size).toBe(0)
  await store.commit(commitAt(2, 10))
  expect((await store.loadSpace('team')).record?.position).toBe(2)
  await store.close()
})

test('[A1] pages give way to what is to be stored, and none are stored where they had to', async () => {
  const store = await sqlite(createPath(), { fileBytesMax: 512 * 1024 })()
  await store.commit(commitAt(1, 10))
  const page = { from: 0, to: 1, rows: 1, head: '', frames: [new Uint8Array(250_000)] }
  await store.pages.put('team', page)
  // Not even without them.
  await expect(store.commit(commitAt(2, 2_000_000))).rejects.toMatchObject({ code: 'storage-full' })
  expect(await store.pages.at('team', 0)).toBe(null)
  await store.pages.put('team', page)
  expect((await store.pages.at('team', 0))?.left).toBe(0)
  await store.commit(commitAt(2, 250_000))
  expect((await store.feed('team', 0, 10)).length).toBe(2)
  await store.pages.put('team', { ...page, frames: [] })
  expect(await store.pages.at('team', 0)).toBe(null)
  await store.close()
})

test('a page for which there is no room is left out, and commits go on', async () => {
  const store = await sqlite(createPath(), { fileBytesMax: 512 * 1024 })()
  await store.commit(commitAt(1, 10))
  const page = { from: 0, to: 1, rows: 1, head: '', frames: [new Uint8Array(600_000)] }
  await store.pages.put('team', page)
  expect(await store.pages.at('team', 0)).toBe(null)
  await store.commit(commitAt(2, 10))
  expect((await store.loadSpace('team')).record?.position).toBe(2)
  await store.close()
})

test('a file of before there were pages has them from its next opening on', async () => {
  const path = createPath()
  const before = await sqlite(path)()
  await before.commit(commitAt(1, 10))
  await before.close()
  const older = new DatabaseSync(path)
  older.exec('drop table pages')
  older.close()
  const store = await sqlite(path)()
  const page = { from: 0, to: 1, rows: 1, head: '', frames: [] }
  await store.pages.put('team', page)
  expect(await store.pages.at('team', 0)).toEqual({ page, left: 0 })
  await store.close()
})

test('[A1] what is too much for the disk in one space is not refused to another in the same group', async () => {
  const store = await sqlite(createPath(), { fileBytesMax: 1024 * 1024 })()
  const group = await Promise.allSettled([
    store.commit(commitAt(1, 10)),
    store.commit({ ...commitAt(1, 2_000_000), space: 'heavy' }),
  ])
  expect(group.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  expect((await store.loadSpace('team')).record?.position).toBe(1)
  expect((await store.loadSpace('heavy')).record).toBe(null)
  await store.close()
})

test('[A1] a lock is waited for once, however many spaces have something to commit', async () => {
  const path = createPath()
  const store = await sqlite(path)()
  const other = new DatabaseSync(path)
  other.exec('begin immediate')
  const began = performance.now()
  const commits = Array.from({ length: 20 }, (_, i) =>
    store.commit({ ...commitAt(1, 10), space: `team-${i}` }),
  )
  for (const one of await Promise.allSettled(commits))
    expect(one.status === 'rejected' && one.reason.details).toEqual({ reason: 'locked' })
  // A wait takes a second.
  expect(performance.now() - began).toBeLessThan(10_000)
  other.exec('rollback')
  other.close()
  await store.commit(commitAt(1, 10))
  await store.close()
})

test('[A1] nothing that was acknowledged is lost when the process is killed', async () => {
  const path = createPath()
  const program = join(import.meta.dirname, 'relay-sqlite-writer.ts')
  const writer = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void writer.kill('SIGKILL'))
  let output = ''
  writer.stdout.on('data', chunk => {
    output += String(chunk)
    if (output.length > 20_000) writer.kill('SIGKILL')
  })
  await once(writer, 'close')
  const acknowledged = output.split('\n').slice(0, -1).map(Number)
  expect(acknowledged.length).toBeGreaterThan(1000)
  const store = await sqlite(path)()
  const { record } = await store.loadSpace('team')
  const position = record?.position ?? 0
  expect(position).toBeGreaterThanOrEqual(acknowledged.at(-1) ?? 0)
  // A commit is two rows and an update: all of it is there, or nothing.
  const feed = await store.feed('team', 0, 1_000_000)
  expect(feed.length).toBe(2 * position)
  const body = await store.textBody('team', documentKey('notes', 'shared'), partName('text', 'body'))
  expect(body.length).toBe(position)
  await store.close()
})

const removals: readonly (readonly [string, (path: string) => void])[] = [
  ['whose folder was deleted', path => rmSync(dirname(path), { recursive: true })],
  ['whose folder cannot be looked into', shutAway],
  ['that was replaced by an older copy', replaceByCopy],
  ['whose log was deleted', path => rmSync(`${path}-wal`)],
  ['whose lock was deleted', path => rmSync(`${path}.lock`)],
]
test.each(removals)('[A1] a file %s under the relay takes nothing more, and says so', async (_, remove) => {
  const path = createPath()
  const store = await sqlite(path)()
  onTestFinished(() => store.close())
  await store.commit(commitAt(1, 1))
  remove(path)
  // Who offers again what is stored is answered without a commit.
  expect((await failureOf(store.assertKept?.() ?? Promise.resolve())).code).toBe('storage-closed')
  const error = await failureOf(store.commit(commitAt(2, 1)))
  expect([error.code, error.details]).toEqual(['storage-closed', { reason: 'gone' }])
  expect(error.message).toContain(path)
  expect(await store.gone).toBe(error)
  expect((await failureOf(store.commit(commitAt(3, 1)))).code).toBe('storage-closed')
})

/** Also from somebody who may look everywhere. */
function shutAway(path: string): void {
  const folder = dirname(path)
  renameSync(folder, `${folder}-away`)
  onTestFinished(() => rmSync(`${folder}-away`, { recursive: true }))
  symlinkSync(folder, folder)
}

function replaceByCopy(path: string): void {
  copyFileSync(path, `${path}.copy`)
  renameSync(`${path}.copy`, path)
}

test('a database of somebody else is refused and left as it is', async () => {
  const path = createPath()
  const theirs = new DatabaseSync(path)
  theirs.exec('create table songs (name text)')
  theirs.close()
  const before = readFileSync(path)
  expect((await failureOf(sqlite(path)())).message).toContain('not a relay')
  expect(readFileSync(path).equals(before)).toBe(true)
})

test('a file that is no database is refused in one line', async () => {
  const path = createPath()
  writeFileSync(path, 'once upon a time '.repeat(1000))
  const refused = await failureOf(sqlite(path)())
  expect(refused.code).toBe('storage-closed')
  expect(refused.message).toContain(path)
  expect(refused.message).not.toContain('\n')
})

test('a store of a newer version is refused', async () => {
  const path = createPath()
  await (await sqlite(path)()).close()
  const newer = new DatabaseSync(path)
  newer.exec('update store set version = 99')
  newer.close()
  expect((await failureOf(sqlite(path)())).message).toContain('99')
})

test('a folder that is not there is told in one line', async () => {
  const refused = await failureOf(sqlite(join(createPath(), 'missing', 'rejoin.db'))())
  expect(refused.code).toBe('storage-closed')
  expect(refused.message).not.toContain('\n')
})

function createPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rejoin-store-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'rejoin.db')
}

async function failureOf(opening: Promise<unknown>): Promise<RejoinError> {
  const error = await opening.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof RejoinError)) throw new Error(`not refused by a code: ${String(error)}`)
  return error
}

test('rows that nobody asks for are let go after two seconds, unless all of them are few', async () => {
  const clock = createSimulatedClock()
  const after = clock.after
  const runtime = { now: () => 0, monotonic: () => clock.time, randomBytes: nodeRuntime.randomBytes, after }
  const store = await sqlite(createPath(), { runtime })()
  const read = async (position: number): Promise<unknown> => {
    const key = documentKey('notes', `${position}`)
    return (await store.rows('team', [key])).get(key)
  }
  await store.commit(commitAt(1, 10))
  const few = await read(1)
  await clock.advance(10_000)
  expect(await read(1)).toBe(few)
  for (let position = 2; position < 10; position++) {
    await store.commit(commitAt(position, 250_000))
    await read(position)
  }
  const used = await read(2)
  const left = await read(3)
  for (let second = 0; second < 5; second++) {
    await clock.advance(1000)
    expect(await read(2)).toBe(used)
  }
  const again = await read(3)
  expect(again).not.toBe(left)
  expect(again).toEqual(left)
  // Of what is at rest nothing is left to do.
  await clock.advance(3000)
  expect(await clock.step()).toBe(false)
  await store.close()
})

test('rows that are looked up together are found whatever their ids are', async () => {
  const path = createPath()
  const ids = [
    'a',
    'b/c',
    '"quoted"',
    'back\\slash',
    'nul\0',
    'nul\0and',
    'é',
    '😀',
    ' ',
    '[]',
    "it's",
    'A',
    'null',
    '1',
  ]
  const store = await sqlite(path)()
  for (const [i, id] of ids.entries()) await store.commit(commitAt(i + 1, 10, id))
  await store.close()
  const again = await sqlite(path)()
  const keys = ids.map(id => documentKey('notes', id))
  const found = await again.rows('team', [...keys, documentKey('notes', 'nul'), documentKey('other', 'a')])
  expect(keys.map(key => found.get(key)?.position)).toEqual(keys.map((_, i) => i + 1))
  expect(found.size).toBe(keys.length)
  await again.close()
})

function commitAt(position: number, bytes: number, id: string = `${position}`): SpaceCommit {
  const part = partName('lww', 'title')
  const last = { ms: position, tick: 0, writer: writerFromBytes(new Uint8Array(8)) }
  const cells = new Map([[part, { strategy: 'lww' as const, last, value: new Uint8Array(bytes) }]])
  const held = {
    row: { cells, deletion: null, revival: last },
    position,
    positions: new Map([[part, position]]),
    texts: new Map(),
  }
  const record = {
    position,
    fingerprint: emptyFingerprint,
    frontier: noPositions,
    generation: 'generation' as GenerationId,
  }
  return {
    space: 'team',
    record: { ...record, peers: new Map() },
    rows: new Map([[documentKey('notes', id), held]]),
    texts: [],
    writers: [],
    generations: [],
  }
}
