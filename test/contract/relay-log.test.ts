// A store in a file leaves to its log what changes, and settles that later: nobody who reads it can tell, at any time.
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  documentKey,
  emptyFingerprint,
  joinRows,
  partName,
  writerFromBytes,
  type DocumentKey,
  type FeedPart,
  type GenerationId,
  type HeldRow,
  type RelayStore,
  type Row,
  type Runtime,
  type SpaceCommit,
  type WriterRecord,
} from '@rejoin/core'
import { createMemoryDisk, nodeRuntime, sqlite } from '@rejoin/relay'
import { createSimulatedClock } from '@rejoin/testkit'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { expectAlike } from './alike-stores.ts'

const spaces = ['team', 'family'] as const
const ids = ['a', 'b', 'c', 'd', 'e', 'f'] as const
const parts = ['title', 'color', 'size'].map(field => partName('lww', field))
const body = partName('text', 'body')
const writers = [1, 2].map(n => writerFromBytes(new Uint8Array(8).fill(n)))

/** What one write of a commit changes. */
interface Change {
  readonly id: string
  readonly kind: 'cell' | 'both' | 'delete' | 'revive' | 'type'
}

type Step =
  | {
      readonly kind: 'commit'
      readonly space: string
      readonly writer: number
      readonly changes: readonly Change[]
    }
  | { readonly kind: 'wait' | 'kill' | 'reopen' | 'look' }

const change = fc.record<Change>({
  id: fc.constantFrom(...ids),
  kind: fc.constantFrom('cell', 'cell', 'cell', 'both', 'delete', 'revive', 'type'),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      space: fc.constantFrom(...spaces),
      writer: fc.nat({ max: 1 }),
      changes: fc.array(change, { maxLength: 5 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('wait', 'kill', 'reopen', 'look', 'look') }) },
)

test('[A1] what was committed reads as from a store in memory: before it is settled, after it, and after a kill', async () => {
  const seen = { unsettled: 0, killed: 0 }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async steps => {
      const world = await createWorld()
      try {
        for (const one of steps) await take(world, one, seen)
        await look(world)
      } finally {
        await world.store.close()
        rmSync(world.folder, { recursive: true })
      }
    }),
    { numRuns: 100 },
  )
  // The log held something while it was read, and when its store was killed: how often is chance, and so many runs are
  // far above that.
  expect(seen.unsettled).toBeGreaterThan(50)
  expect(seen.killed).toBeGreaterThan(20)
})

test('a row that changed a hundred times is put in its place once', async () => {
  const world = await createWorld()
  onTestFinished(() => rmSync(world.folder, { recursive: true }))
  for (let n = 0; n < 100; n++)
    await take(world, { kind: 'commit', space: 'team', writer: 0, changes: [{ id: 'a', kind: 'cell' }] })
  expect(tableOf(world, 'log')).toHaveLength(99)
  expect(tableOf(world, 'rows').map(({ position }) => position)).toEqual([1])
  expect(tableOf(world, 'writers').map(({ position }) => position)).toEqual([1])
  await world.clock.advance(5000)
  expect(tableOf(world, 'log')).toEqual([])
  for (const table of ['rows', 'writers', 'spaces'])
    expect(tableOf(world, table).map(({ position }) => position)).toEqual([100])
  // Of what is settled nothing is left to do.
  expect(await world.clock.step()).toBe(false)
  await world.store.close()
})

test('what cannot be settled stays in the log, is read as it is, and is settled when it can be', async () => {
  const world = await createWorld()
  onTestFinished(() => rmSync(world.folder, { recursive: true }))
  const edit: Step = { kind: 'commit', space: 'team', writer: 0, changes: [{ id: 'a', kind: 'cell' }] }
  for (let n = 0; n < 3; n++) await take(world, edit)
  const other = new DatabaseSync(world.path)
  other.exec('begin immediate')
  await world.clock.advance(5000)
  other.exec('rollback')
  other.close()
  expect(tableOf(world, 'log')).toHaveLength(2)
  await look(world)
  await take(world, edit)
  await world.clock.advance(10_000)
  expect(tableOf(world, 'log')).toEqual([])
  await look(world)
  await world.store.close()
  // Nobody is called for a store that is closed.
  expect(await world.clock.step()).toBe(false)
})

test('the log has room for so many rows, and for no large ones: all others are put in their places', async () => {
  const world = await createWorld()
  onTestFinished(() => rmSync(world.folder, { recursive: true }))
  const { store } = world
  const keys = Array.from({ length: 4200 }, (_, i) => documentKey('notes', `n${i}`))
  const large = documentKey('notes', 'large')
  const commitAll = async (position: number): Promise<void> => {
    await store.rows('team', [...keys, large])
    const rows = keys.map(key => [key, heldAt(position, 10)] as const)
    await store.commit(commitOf('team', position, new Map([[large, heldAt(position, 5000)], ...rows])))
  }
  await commitAll(1)
  await commitAll(2)
  const placed = tableOf(world, 'rows').filter(({ position }) => position === 2)
  expect(placed).toHaveLength(1 + 4200 - 4096)
  expect(placed.map(({ id }) => id)).toContain('large')
  const feed = await store.feed('team', 1, 5000)
  expect(new Set(feed.map(({ key }) => key))).toEqual(new Set([...keys, large]))
  await store.close()
})

test('many rows are settled some at a time; what comes meanwhile, and who is killed in between, find all of them', async () => {
  const world = await createWorld()
  onTestFinished(() => rmSync(world.folder, { recursive: true }))
  const keys = Array.from({ length: 2500 }, (_, i) => documentKey('notes', `n${i}`))
  const placed = (position: number): number =>
    tableOf(world, 'rows').filter(row => row.position === position).length
  for (const position of [1, 2]) {
    await world.store.rows('team', keys)
    const rows = new Map(keys.map(key => [key, heldAt(position, 10)]))
    await world.store.commit(commitOf('team', position, rows))
  }
  while (placed(2) === 0) expect(await world.clock.step()).toBe(true)
  expect(placed(2)).toBe(1024)
  const [first, last] = [keys.slice(0, 1), keys.slice(-1)]
  for (const some of [first, last]) {
    await world.store.rows('team', some)
    const rows = new Map(some.map(key => [key, heldAt(some === first ? 3 : 4, 10)]))
    await world.store.commit(commitOf('team', some === first ? 3 : 4, rows))
  }
  const path = killed(world)
  await world.clock.advance(5000)
  expect(tableOf(world, 'log')).toEqual([])
  expect([placed(2), placed(3), placed(4)]).toEqual([2498, 1, 1])
  await world.store.close()
  world.store = await world.open((world.path = path))
  expect(tableOf(world, 'log')).toEqual([])
  expect([placed(2), placed(3), placed(4)]).toEqual([2498, 1, 1])
  expect((await world.store.loadSpace('team')).record?.position).toBe(4)
  await world.store.close()
})

test('a store that is full when it opens leaves to the log what that has, and is read all the same', async () => {
  const world = await createWorld()
  onTestFinished(() => rmSync(world.folder, { recursive: true }))
  const keys = Array.from({ length: 100 }, (_, i) => documentKey('notes', `n${i}`))
  for (const position of [1, 2]) {
    await world.store.rows('team', keys)
    const rows = new Map(keys.map(key => [key, heldAt(position, position === 1 ? 10 : 3000)]))
    await world.store.commit(commitOf('team', position, rows))
  }
  expect(tableOf(world, 'log')).toHaveLength(1)
  const path = killed(world)
  const { runtime } = world
  const full = await sqlite(path, { runtime, fileBytesMax: 1 })()
  expect((await full.loadSpace('team')).record?.position).toBe(2)
  expect([...(await full.rows('team', keys)).values()].map(({ position }) => position)).toEqual(
    keys.map(() => 2),
  )
  await full.close()
  const roomy = await world.open(path)
  expect((await roomy.feed('team', 1, 1000)).length).toBe(100)
  await roomy.close()
  await world.store.close()
})

test('in a file that cannot grow, what the log took is room for what it held', async () => {
  const world = await createWorld()
  onTestFinished(() => rmSync(world.folder, { recursive: true }))
  const keys = Array.from({ length: 20 }, (_, i) => documentKey('notes', `n${i}`))
  for (const position of [1, 2, 3, 4, 5]) {
    await world.store.rows('team', keys)
    const rows = new Map(keys.map(key => [key, heldAt(position, position === 1 ? 10 : 3000)]))
    await world.store.commit(commitOf('team', position, rows))
  }
  world.path = killed(world)
  expect(tableOf(world, 'log')).toHaveLength(4)
  const { runtime } = world
  const full = await sqlite(world.path, { runtime, fileBytesMax: 1 })()
  expect(tableOf(world, 'log')).toEqual([])
  expect(await full.feed('team', 4, 100)).toHaveLength(20)
  await full.close()
  await world.store.close()
})

test('[A1] what cannot be settled, though the disk is neither full nor locked, ends the commits and not the disk', async () => {
  const world = await createWorld()
  onTestFinished(() => rmSync(world.folder, { recursive: true }))
  const { store } = world
  const keys = Array.from({ length: 200 }, (_, i) => documentKey('notes', `n${i}`))
  const commitAll = async (position: number): Promise<void> => {
    await store.rows('team', keys)
    await store.commit(commitOf('team', position, new Map(keys.map(key => [key, heldAt(position, 3000)]))))
  }
  await commitAll(1)
  await commitAll(2)
  const other = new DatabaseSync(world.path)
  other.exec("create trigger broken before update on rows begin select raise(abort, 'broken'); end")
  await commitAll(3)
  await expect(commitAll(4)).rejects.toMatchObject({ code: 'storage-closed' })
  expect(tableOf(world, 'log').map(({ position }) => position)).toEqual([2, 3])
  expect((await store.loadSpace('team')).record?.position).toBe(3)
  other.exec('drop trigger broken')
  other.close()
  await world.clock.advance(10_000)
  expect(tableOf(world, 'log')).toEqual([])
  await commitAll(4)
  expect(await store.feed('team', 3, 1000)).toHaveLength(200)
  await store.close()
})

test('a file of a relay that knew no log is taken over as it is', async () => {
  const world = await createWorld()
  onTestFinished(() => rmSync(world.folder, { recursive: true }))
  await take(world, { kind: 'commit', space: 'team', writer: 0, changes: [{ id: 'a', kind: 'both' }] })
  await world.store.close()
  const older = new DatabaseSync(world.path)
  older.exec('drop table log; update store set version = 1')
  older.close()
  world.store = await world.open(world.path)
  await look(world)
  await take(world, { kind: 'commit', space: 'team', writer: 0, changes: [{ id: 'a', kind: 'cell' }] })
  await look(world)
  await world.store.close()
})

interface World {
  readonly folder: string
  readonly clock: ReturnType<typeof createSimulatedClock>
  readonly model: RelayStore
  readonly runtime: Runtime
  readonly open: (path: string) => Promise<RelayStore>
  path: string
  store: RelayStore
  ms: number
}

async function createWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'rejoin-log-'))
  const clock = createSimulatedClock()
  const runtime = { ...nodeRuntime, monotonic: () => clock.time, after: clock.after }
  const open = (path: string): Promise<RelayStore> => sqlite(path, { runtime })()
  const model = await createMemoryDisk(nodeRuntime.randomBytes).open()
  const path = join(folder, '0.db')
  return { folder, clock, model, runtime, open, path, store: await open(path), ms: 0 }
}

async function take(world: World, one: Step, seen = { unsettled: 0, killed: 0 }): Promise<void> {
  switch (one.kind) {
    case 'commit':
      return commit(world, one)
    case 'wait':
      await world.clock.advance(5000)
      return expect(tableOf(world, 'log')).toEqual([])
    case 'look':
      if (tableOf(world, 'log').length > 0) seen.unsettled += 1
      return look(world)
    case 'reopen':
      await world.store.close()
      world.store = await world.open(world.path)
      return
    case 'kill': {
      if (tableOf(world, 'log').length > 0) seen.killed += 1
      const path = killed(world)
      await world.store.close()
      world.store = await world.open(path)
      world.path = path
      return look(world)
    }
  }
}

/** What a store that is killed leaves is what lies there while it is open. */
function killed(world: World): string {
  const path = join(world.folder, `${Number(/(\d+)\.db$/.exec(world.path)?.[1]) + 1}.db`)
  for (const end of ['', '-wal']) if (existsSync(world.path + end)) copyFileSync(world.path + end, path + end)
  return path
}

/** As a turn does: what it touches is read first. */
async function commit(
  world: World,
  { space, writer, changes }: Step & { readonly kind: 'commit' },
): Promise<void> {
  const { store, model } = world
  const id = writers[writer] ?? writers[0]
  if (id === undefined) return
  const keys = changes.map(one => documentKey('notes', one.id))
  const rows = new Map<DocumentKey, HeldRow>(await store.rows(space, keys))
  const [known] = await store.writers(space, [id])
  const before = (await model.loadSpace(space)).record
  const position = (before?.position ?? 0) + (changes.length > 0 ? 1 : 0)
  const changed = new Map<DocumentKey, HeldRow>()
  const texts: SpaceCommit['texts'][number][] = []
  for (const { id: document, kind } of changes) {
    const key = documentKey('notes', document)
    const mark = { ms: ++world.ms, tick: 0, writer: id }
    const held = rows.get(key)
    const delta = deltaOf(kind, mark, held?.row)
    const row = held === undefined ? delta : joinRows(held.row, delta)
    const positions = new Map<FeedPart, number>(held?.positions)
    for (const name of delta.cells.keys()) positions.set(name, position)
    if (row.deletion !== (held?.row.deletion ?? null)) positions.set('deletion', position)
    if (row.revival !== (held?.row.revival ?? null)) positions.set('revival', position)
    const states = new Map(held?.texts)
    if (kind === 'type') {
      states.set(body, { stateVector: new Map([[1, world.ms]]), bytes: world.ms })
      texts.push({ key, part: body, update: Uint8Array.of(world.ms % 256) })
    }
    const next = { row, position, positions, texts: states }
    rows.set(key, next)
    changed.set(key, next)
  }
  const record: WriterRecord = {
    writer: id,
    user: known?.user ?? 'alice',
    device: known?.device ?? 'laptop',
    highest: { ms: ++world.ms, tick: 0, writer: id },
  }
  const plain = commitOf(space, position, changed)
  const fingerprint = { ...emptyFingerprint, high: world.ms }
  const made = { ...plain, record: { ...plain.record, fingerprint }, texts, writers: [record] }
  await Promise.all([store.commit(made), model.commit(made)])
}

function commitOf(space: string, position: number, rows: SpaceCommit['rows']): SpaceCommit {
  const generation = 'generation' as GenerationId
  const frontier = new Map([[generation, position]])
  const record = { position, fingerprint: emptyFingerprint, frontier, generation, peers: new Map() }
  return { space, record, rows, texts: [], writers: [], generations: [] }
}

/** A row of one value of so many bytes. */
function heldAt(position: number, bytes: number): HeldRow {
  const name = partName('lww', 'title')
  const last = { ms: position, tick: 0, writer: writerFromBytes(new Uint8Array(8)) }
  const cells = new Map([[name, { strategy: 'lww' as const, last, value: new Uint8Array(bytes) }]])
  const row = { cells, deletion: null, revival: null }
  return { row, position, positions: new Map([[name, position]]), texts: new Map() }
}

function deltaOf(
  kind: Change['kind'],
  mark: { ms: number; tick: number; writer: (typeof writers)[number] },
  row?: Row,
): Row {
  const cells: Row['cells'] = new Map(
    parts
      .filter((_, i) => i === mark.ms % parts.length || kind === 'both')
      .map(name => [name, { strategy: 'lww' as const, last: mark, value: Uint8Array.of(mark.ms % 256) }]),
  )
  switch (kind) {
    case 'delete': {
      const seen = new Map(
        [...(row?.cells ?? [])].flatMap(([name, cell]) =>
          cell.strategy === 'lww' ? [[name, { kind: 'last' as const, mark: cell.last }] as const] : [],
        ),
      )
      return { cells: new Map(), deletion: { mark, policy: 'edit-wins', seen }, revival: null }
    }
    case 'revive':
      return { cells: new Map(), deletion: null, revival: mark }
    case 'type':
      return {
        cells: new Map([[body, { strategy: 'text' as const, context: new Map([[mark.writer, mark]]) }]]),
        deletion: null,
        revival: null,
      }
    default:
      return { cells, deletion: null, revival: null }
  }
}

/** Everything that can be read is what the store in memory says. */
async function look({ store, model }: World): Promise<void> {
  const keys = ids.map(id => documentKey('notes', id))
  for (const space of spaces) await expectAlike(store, model, { space, keys, writers })
}

/** Read past the store. */
function tableOf({ path }: World, name: string): readonly Readonly<Record<string, unknown>>[] {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return database.prepare(`select * from ${name}`).all()
  } finally {
    database.close()
  }
}
