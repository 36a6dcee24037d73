// A store in a file beside one in memory, over histories that nobody thought of: whatever fails, is read back, folded,
// copied or killed in between, both say the same.
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  documentKey,
  emptyFingerprint,
  joinRows,
  RejoinError,
  type DocumentKey,
  type FeedPart,
  type GenerationId,
  type HeldRow,
  type RelayStore,
  type SpaceCommit,
  type StoreId,
  type WriterRecord,
} from '@rejoin/core'
import { createMemoryDisk, nodeRuntime, sqlite, type SqliteOptions } from '@rejoin/relay'
import { createSimulatedClock } from '@rejoin/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expectAlike } from './alike-stores.ts'
import { body, deltaOf, markOf, people, type Edit, type Person } from '../unit/core/edits.ts'

const spaces = ['team', 'family', 'club'] as const
const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(id => documentKey('notes', id))

interface Change {
  readonly key: DocumentKey
  readonly edit: Edit
}

/** One commit of a space. `user`: whose writer it is from now on; `peers`: whether its record tells of one. */
interface Made {
  readonly space: string
  readonly by: Person
  readonly user: string
  readonly peers: boolean
  readonly changes: readonly Change[]
}

type Step =
  | { readonly kind: 'commits'; readonly made: readonly Made[] }
  | { readonly kind: 'fold'; readonly space: string; readonly beside: Made }
  | { readonly kind: 'full' | 'roomy' | 'forgetful'; readonly how: 'killed' | 'closed' | 'copied' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'look' }

const word = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('red', 'teal', 'plum') },
  // What is large is not left to the log, and what grows in the log may not fit in its place.
  { weight: 2, arbitrary: fc.constantFrom('x'.repeat(700), 'y'.repeat(5000)) },
)
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constantFrom('color' as const, 'view' as const, 'title' as const), value: word }),
  fc.record({ kind: fc.constantFrom('add' as const, 'remove' as const), element: word }),
  fc.record({ kind: fc.constant('vote' as const), by: fc.integer({ min: -3, max: 3 }) }),
  fc.record({ kind: fc.constant('revive' as const) }),
  fc.record({ kind: fc.constant('insert' as const), value: word, element: word }),
  fc.record({
    kind: fc.constant('delete' as const),
    policy: fc.constantFrom('edit-wins', 'ask', 'delete-wins'),
  }),
)
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ key: fc.constantFrom(...keys), edit }) },
  // In few texts, so that these have something to fold.
  {
    weight: 2,
    arbitrary: fc.record({
      key: fc.constantFrom(...keys.slice(0, 2)),
      edit: fc.constant({ kind: 'type' as const }),
    }),
  },
)
const made: fc.Arbitrary<Made> = fc.record({
  space: fc.constantFrom(...spaces),
  by: fc.constantFrom(...people),
  user: fc.constantFrom('alice', 'alice', 'alice', 'bob'),
  peers: fc.boolean(),
  changes: fc.array(change, { maxLength: 5 }),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      kind: fc.constant('commits' as const),
      made: fc.array(made, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('fold' as const),
      space: fc.constantFrom(...spaces),
      beside: made,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('full' as const, 'roomy' as const, 'forgetful' as const),
      how: fc.constantFrom('killed' as const, 'closed' as const, 'copied' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(500, 1000, 10_000) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('look' as const) }) },
)

test('[A1] whatever happens to its file, a store says what one in memory says', async () => {
  const seen = { refused: 0, folded: 0, unsettled: 0 }
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
    { numRuns: 40 },
  )
  expect(seen.refused).toBeGreaterThan(10)
  expect(seen.folded).toBeGreaterThan(5)
  expect(seen.unsettled).toBeGreaterThan(10)
})

interface World {
  readonly folder: string
  readonly clock: ReturnType<typeof createSimulatedClock>
  readonly model: RelayStore
  readonly open: (path: string, options: SqliteOptions) => Promise<RelayStore>
  path: string
  files: number
  store: RelayStore
  ms: number
}

async function createWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'rejoin-histories-'))
  const clock = createSimulatedClock()
  const runtime = { ...nodeRuntime, monotonic: () => clock.time, after: clock.after }
  const open: World['open'] = (path, options) => sqlite(path, { ...options, runtime })()
  const model = await createMemoryDisk(nodeRuntime.randomBytes).open()
  const path = join(folder, '0.db')
  return { folder, clock, model, open, path, files: 0, store: await open(path, {}), ms: 0 }
}

interface Seen {
  refused: number
  folded: number
  unsettled: number
}

async function take(world: World, one: Step, seen: Seen): Promise<void> {
  switch (one.kind) {
    case 'commits': {
      const commits = await commitsOf(world, one.made)
      const outcomes = commits.map(commit => store(world, commit, seen))
      await Promise.all(outcomes)
      return
    }
    case 'fold':
      return fold(world, one, seen)
    case 'wait':
      return world.clock.advance(one.ms)
    case 'look':
      if (isUnsettled(world.path)) seen.unsettled += 1
      return look(world)
    default:
      await reopen(world, one)
      return look(world)
  }
}

/** In one go, and each space's upon its own before: all of these are stored, or none. */
async function commitsOf(world: World, all: readonly Made[]): Promise<readonly SpaceCommit[]> {
  const rowsOf = new Map<string, Map<DocumentKey, HeldRow>>()
  const positionOf = new Map<string, number>()
  const commits: SpaceCommit[] = []
  for (const one of all) {
    const { space } = one
    const rows = rowsOf.get(space) ?? new Map(await world.store.rows(space, keys))
    rowsOf.set(space, rows)
    const before = positionOf.get(space) ?? (await world.model.loadSpace(space)).record?.position ?? 0
    const commit = commitOf(world, one, rows, before)
    positionOf.set(space, commit.record.position)
    commits.push(commit)
  }
  return commits
}

function commitOf(world: World, one: Made, rows: Map<DocumentKey, HeldRow>, before: number): SpaceCommit {
  const { space, by, user, peers, changes } = one
  const position = before + (changes.length > 0 ? 1 : 0)
  const changed = new Map<DocumentKey, HeldRow>()
  const texts: SpaceCommit['texts'][number][] = []
  for (const { key, edit: what } of changes) {
    const held = rows.get(key)
    const mark = markOf(by, ++world.ms)
    const delta = deltaOf(what, held?.row, mark)
    const row = held === undefined ? delta : joinRows(held.row, delta)
    const positions = new Map<FeedPart, number>(held?.positions)
    for (const name of delta.cells.keys())
      if (row.cells.get(name) !== held?.row.cells.get(name)) positions.set(name, position)
    if (row.deletion !== (held?.row.deletion ?? null)) positions.set('deletion', position)
    if (row.revival !== (held?.row.revival ?? null)) positions.set('revival', position)
    const states = new Map(held?.texts)
    if (what.kind === 'type') {
      const bytes = (states.get(body)?.bytes ?? 0) + 3
      states.set(body, { stateVector: new Map([[1, world.ms]]), bytes })
      texts.push({ key, part: body, update: Uint8Array.of(world.ms >> 8, world.ms & 255, 7) })
    }
    const next = { row, position, positions, texts: states }
    rows.set(key, next)
    changed.set(key, next)
  }
  const { writer } = markOf(by, 0)
  const record: WriterRecord = { writer, user, device: 'laptop', highest: markOf(by, ++world.ms) }
  const generation = `generation ${world.files}` as GenerationId
  const peer = { cursor: { generation, cut: world.ms, place: world.ms }, wants: keys.slice(0, world.ms % 3) }
  return {
    space,
    record: {
      position,
      fingerprint: { ...emptyFingerprint, high: ++world.ms },
      frontier: new Map([[generation, position]]),
      generation,
      peers: peers ? new Map([['peer' as StoreId, peer]]) : new Map(),
    },
    rows: changed,
    texts,
    writers: changes.length === 1 ? [] : [record],
    generations: [{ id: generation, store: 'store' as StoreId, parent: null, start: 0 }],
  }
}

/** What is refused, of a disk that is full alone, is not there. */
async function store({ store: file, model }: World, commit: SpaceCommit, seen: Seen): Promise<void> {
  try {
    await file.commit(commit)
  } catch (error) {
    if (!(error instanceof RejoinError) || error.code !== 'storage-full') throw error
    seen.refused += 1
    return
  }
  await model.commit(commit)
}

/** A fold of the text that was typed in most, in one go with commits of another space. */
async function fold(
  world: World,
  { space, beside }: Step & { readonly kind: 'fold' },
  seen: Seen,
): Promise<void> {
  const stored = await Promise.all(
    keys.map(async key => ({ key, read: await world.store.storedText(space, key, body) })),
  )
  const [most] = stored.toSorted((a, b) => b.read.updates.length - a.read.updates.length)
  if (most === undefined || most.read.updates.length < 2) return
  const { key, read } = most
  const held = (await world.store.rows(space, [key])).get(key)
  const text = held?.texts.get(body)
  if (held === undefined || text === undefined) throw new Error('a body without its row')
  const snapshot = Uint8Array.of(1, 2, 3, 4)
  const resized = { ...held, texts: new Map([[body, { ...text, bytes: snapshot.length }]]) }
  const one = { space, key, part: body, read, snapshot, held: resized }
  const others = beside.space === space ? [] : await commitsOf(world, [beside])
  const folded = world.store.fold(one).catch((error: unknown) => {
    if (error instanceof RejoinError && error.code === 'storage-full') return false
    throw error
  })
  await Promise.all(others.map(commit => store(world, commit, seen)))
  if (!(await folded)) return
  seen.folded += 1
  expect(await world.model.fold(one)).toBe(true)
}

async function reopen(world: World, { kind, how }: Step & { readonly how: string }): Promise<void> {
  const path = join(world.folder, `${++world.files}.db`)
  if (how === 'copied') copyWhileOpen(world.path, path)
  // What a store that is killed leaves is what lies there while it is open.
  if (how === 'killed')
    for (const end of ['', '-wal'])
      if (existsSync(world.path + end)) copyFileSync(world.path + end, path + end)
  await world.store.close()
  if (how !== 'closed') world.path = path
  const options = { full: { fileBytesMax: 1 }, roomy: {}, forgetful: { cacheBytesMax: 1 } }[kind as 'full']
  world.store = await world.open(world.path, options)
}

/** As an operator makes a backup of a relay that runs. */
function copyWhileOpen(from: string, to: string): void {
  const database = new DatabaseSync(from, { readOnly: true })
  database.prepare('vacuum into ?').run(to)
  database.close()
}

function isUnsettled(path: string): boolean {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return database.prepare('select 1 from log limit 1').get() !== undefined
  } finally {
    database.close()
  }
}

/** Everything that can be read is what the store in memory says. */
async function look({ store: file, model }: World): Promise<void> {
  for (const space of spaces) {
    await expectAlike(file, model, { space, keys, writers: [] })
    const end = (await model.loadSpace(space)).record?.position ?? 0
    for (const key of keys) {
      expect(await file.storedText(space, key, body)).toEqual(await model.storedText(space, key, body))
      expect(await file.textSize(space, key, body)).toEqual(await model.textSize(space, key, body))
      expect(await file.textTail(space, key, body, Math.max(0, end - 2))).toEqual(
        await model.textTail(space, key, body, Math.max(0, end - 2)),
      )
    }
  }
}
