/** A store in a file beside one in memory that takes the same commits, and random steps that settle, kill and reopen the first. */
import { copyFileSync, existsSync, mkdtempSync } from 'node:fs'
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
import { expect } from 'vitest'
import { expectAlike } from './alike-stores.ts'

const spaces = ['team', 'family'] as const
const ids = ['a', 'b', 'c', 'd', 'e', 'f'] as const
const parts = ['title', 'color', 'size'].map(field => partName('lww', field))
const body = partName('text', 'body')
const writers = [1, 2].map(n => writerFromBytes(new Uint8Array(8).fill(n)))

/** What one write of a commit changes. */
export interface Change {
  readonly id: string
  readonly kind: 'cell' | 'both' | 'delete' | 'revive' | 'type'
}

export type Step =
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
export const step: fc.Arbitrary<Step> = fc.oneof(
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

export interface World {
  readonly folder: string
  readonly clock: ReturnType<typeof createSimulatedClock>
  readonly model: RelayStore
  readonly runtime: Runtime
  readonly open: (path: string) => Promise<RelayStore>
  path: string
  store: RelayStore
  ms: number
}

export async function createWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'rejoin-log-'))
  const clock = createSimulatedClock()
  const runtime = { ...nodeRuntime, monotonic: () => clock.time, after: clock.after }
  const open = (path: string): Promise<RelayStore> => sqlite(path, { runtime })()
  const model = await createMemoryDisk(nodeRuntime.randomBytes).open()
  const path = join(folder, '0.db')
  return { folder, clock, model, runtime, open, path, store: await open(path), ms: 0 }
}

export async function take(world: World, one: Step, seen = { unsettled: 0, killed: 0 }): Promise<void> {
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
export function killed(world: World): string {
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

export function commitOf(space: string, position: number, rows: SpaceCommit['rows']): SpaceCommit {
  const generation = 'generation' as GenerationId
  const frontier = new Map([[generation, position]])
  const record = { position, fingerprint: emptyFingerprint, frontier, generation, peers: new Map() }
  return { space, record, rows, texts: [], writers: [], generations: [] }
}

/** A row of one value of so many bytes. */
export function heldAt(position: number, bytes: number): HeldRow {
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
export async function look({ store, model }: World): Promise<void> {
  const keys = ids.map(id => documentKey('notes', id))
  for (const space of spaces) await expectAlike(store, model, { space, keys, writers })
}

/** Read past the store. */
export function tableOf({ path }: World, name: string): readonly Readonly<Record<string, unknown>>[] {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return database.prepare(`select * from ${name}`).all()
  } finally {
    database.close()
  }
}
