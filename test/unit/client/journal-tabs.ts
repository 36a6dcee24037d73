/**
 * Tabs of one replica, as the journal sees them: each with a journal and a small state of its own, over one storage,
 * one set of locks and one channel. What they hold is compared with the replay of everything that was acknowledged.
 */
import {
  createJournal,
  journalStores,
  journalVersion,
  type CompactionStep,
  type Journal,
} from '@rejoin/client'
import type { JournalOptions, JournalSink } from '@rejoin/client'
import {
  bodyKey,
  createReplicaState,
  createRowMap,
  documentKey,
  emptyRow,
  joinRows,
  noTexts,
  nothingCounted,
  nothingReplaced,
  partName,
  transactionId,
  writerFromBytes,
  type Channel,
  type Chunk,
  type DocumentKey,
  type GenerationId,
  type Locks,
  type Mark,
  type OpenStorage,
  type PartName,
  type PulledChunk,
  type Row,
  type RowMap,
  type Runtime,
  type SnapshotChunk,
  type StoreId,
  type Transaction,
  type TransactionId,
  type VerdictsChunk,
  type WriterId,
} from '@rejoin/core'
import { isMapOfCells } from '../equality.ts'
import { pulledChunk } from '../core/chunks.ts'

export const relay = writerFromBytes(new Uint8Array(8).fill(9)) as string as StoreId
const generation = writerFromBytes(new Uint8Array(8).fill(8)) as string as GenerationId

/** Everything that the state of a replica has to have for a journal, with every rule left out that it need not have. */
export interface State extends JournalSink {
  readonly rows: ReadonlyMap<DocumentKey, Row>
  readonly outbox: ReadonlyMap<TransactionId, Transaction>
  readonly cursor: number
  readonly bodiesInMemory: number
  readonly loads: { skip: number; load: number; apply: number }
}

export function createState(): State {
  let rows: RowMap = createRowMap()
  const outbox = new Map<TransactionId, Transaction>()
  const changedAt = new Map<DocumentKey, number>()
  const { bodies } = createReplicaState()
  const loads = { skip: 0, load: 0, apply: 0 }
  let cursor = 0
  let seen = 0

  function confirm(key: DocumentKey, delta: Row, position: number): void {
    const before = rows.get(key)
    const after = joinRows(before ?? emptyRow, delta)
    if (after === before) return
    rows.set(key, after)
    changedAt.set(key, position)
  }

  function addBody(key: DocumentKey, part: PartName, update: Uint8Array, position: number): void {
    bodies.add(bodyKey(key, part), [update], position)
  }

  function take(snapshot: SnapshotChunk): void {
    outbox.clear()
    for (const { transaction } of snapshot.outbox) outbox.set(transaction.id, transaction)
    cursor = snapshot.cursors.get(relay)?.cut ?? 0
  }

  return {
    get rows() {
      return new Map([...rows.keys()].map(key => [key, rows.get(key) ?? emptyRow]))
    },
    outbox,
    get cursor() {
      return cursor
    },
    get bodiesInMemory() {
      return bodies.upTo(Number.POSITIVE_INFINITY).length
    },
    loads,
    apply(position, chunk) {
      if (position <= seen) throw new Error(`${position} was applied after ${seen}`)
      seen = position
      loads.apply += 1
      if (chunk.kind === 'own') for (const own of chunk.transactions) outbox.set(own.id, own)
      if (chunk.kind === 'settled') for (const id of chunk.ids) outbox.delete(id)
      if (chunk.kind === 'forgotten') {
        for (const key of chunk.keys) {
          rows.delete(key)
          changedAt.set(key, position)
          bodies.forget(key, position)
        }
      }
      if (chunk.kind === 'pulled') {
        for (const { key, delta } of chunk.rows) confirm(key, delta, position)
        for (const { key, part, update } of chunk.texts) addBody(key, part, update, position)
        cursor = chunk.cursor?.cut ?? cursor
      }
      if (chunk.kind === 'verdicts') {
        for (const { id } of chunk.verdicts) {
          for (const { key, delta } of outbox.get(id)?.writes ?? []) confirm(key, delta, position)
          outbox.delete(id)
        }
      }
    },
    load(loaded, snapshot, position) {
      loads.load += 1
      rows = loaded
      changedAt.clear()
      bodies.clear()
      seen = position
      if (snapshot !== null) take(snapshot)
    },
    skip(changed, snapshot, position) {
      loads.skip += 1
      for (const [key, delta] of changed) confirm(key, delta, position)
      take(snapshot)
      seen = position
    },
    snapshot: () => ({
      kind: 'snapshot',
      cursors: new Map([[relay, { generation, cut: cursor, place: 0 }]]),
      frontier: new Map(),
      reach: new Map(),
      generations: [],
      newest: new Map(),
      fingerprint: { count: 0, high: 0, low: 0 },
      wants: new Map(),
      writers: [],
      outbox: [...outbox.values()].map(transaction => ({
        transaction,
        position: 1,
        acks: [],
        refusedBy: [],
      })),
      quarantine: [],
      own: [],
      retired: new Map(),
      copies: null,
      met: new Map(),
      remade: [],
      remadeMarks: [],
      strangers: [],
    }),
    confirmed: key => rows.get(key),
    changedAfter: position => [...changedAt].filter(([, at]) => at > position).map(([key]) => key),
    bodies,
    written(upTo) {
      for (const [key, at] of changedAt) if (at <= upTo) changedAt.delete(key)
      bodies.written(upTo)
    },
  }
}

/** What a state holds, in a form that two of them can be compared by. */
export function contentOf(state: State): unknown {
  return {
    rows: Object.fromEntries(
      [...state.rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, row]) => [key, toText(row)]),
    ),
    outbox: [...state.outbox.keys()].sort(),
    cursor: state.cursor,
  }
}

export interface Tab {
  readonly journal: Journal
  readonly state: State
}

export interface TabOptions {
  readonly step?: (step: CompactionStep) => Promise<void>
  /** Whether messages reach it. */
  readonly isDeaf?: boolean
  readonly onFault?: (error: unknown) => void
  /** What its first look met. */
  readonly first?: JournalOptions['first']
}

export interface Replica {
  readonly locks: Locks
  /** Acknowledged chunks by position. */
  readonly log: ReadonlyMap<number, Chunk>
  open(options?: TabOptions): Promise<Tab>
  /** Appends and notes what was acknowledged. */
  append(tab: Tab, chunk: Chunk): Promise<number>
  /** Stores an own write and notes it; the journal decides with which others it becomes a chunk. */
  write(tab: Tab, transaction: Transaction): Promise<number>
  /** What a tab would hold that had applied every acknowledged chunk in order, with no compaction ever. */
  replay(): unknown
}

export function createReplica(
  openStorage: OpenStorage,
  runtime: Runtime,
  name = 'replica',
  onPost: (message: unknown) => void = () => {},
): Replica {
  const locks = createLocks()
  const hearers = new Set<(message: unknown) => void>()
  const log = new Map<number, Chunk>()
  return {
    locks,
    log,
    async open({ step, isDeaf = false, onFault, first } = {}) {
      const state = createState()
      const storage = await openStorage(name, journalVersion, journalStores)
      const openChannel = (_name: string, hear: (message: unknown) => void): Channel => {
        const ownHear = isDeaf ? () => {} : hear
        hearers.add(ownHear)
        return {
          post(message) {
            onPost(message)
            for (const other of hearers)
              if (other !== ownHear) void Promise.resolve().then(() => other(message))
          },
          close: () => void hearers.delete(ownHear),
        }
      }
      const journal = createJournal({
        name,
        storage,
        first,
        runtime,
        locks,
        openChannel,
        sink: state,
        step,
        onFault,
      })
      await journal.read()
      return { journal, state }
    },
    async append(tab, chunk) {
      const position = await tab.journal.append(chunk, { durability: 'strict' })
      log.set(position, chunk)
      return position
    },
    async write(tab, transaction) {
      const position = await writeTo(tab.journal, transaction)
      const before = log.get(position)
      const transactions = before?.kind === 'own' ? [...before.transactions, transaction] : [transaction]
      log.set(position, { kind: 'own', transactions })
      return position
    },
    replay() {
      const state = createState()
      for (const [position, chunk] of [...log].sort(([a], [b]) => a - b)) state.apply(position, chunk)
      return contentOf(state)
    },
  }
}

/** Resolves with its position when it is stored. */
export function writeTo(journal: Journal, transaction: Transaction): Promise<number> {
  return new Promise((resolve, reject) => {
    journal.write(transaction, {
      stored: (_, position) => resolve(position),
      failed: (_, error) => reject(error),
    })
  })
}

/** Locks that `navigator.locks` would give to the tabs of one profile. */
export function createLocks(): Locks {
  const held = new Map<string, { readonly lose: (error: Error) => void }>()
  return {
    request(name, { ifAvailable = false, steal = false }, run) {
      const holder = held.get(name)
      if (holder !== undefined && !steal) {
        if (!ifAvailable) throw new Error('waiting for a lock is not needed here')
        return { done: run(false), cancel: () => {} }
      }
      holder?.lose(new Error('AbortError'))
      const done = new Promise<void>((resolve, reject) => {
        const own = { lose: reject }
        held.set(name, own)
        run(true)
          .finally(() => {
            if (held.get(name) === own) held.delete(name)
          })
          .then(resolve, reject)
      })
      return { done, cancel: () => {} }
    },
  }
}

export const runtime: Runtime = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  randomBytes: length => crypto.getRandomValues(new Uint8Array(length)),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

// --- Chunks to write

export const alice: WriterId = writerFromBytes(new Uint8Array([1, 1, 1, 1, 1, 1, 1, 1]))
export const bob: WriterId = writerFromBytes(new Uint8Array([2, 2, 2, 2, 2, 2, 2, 2]))

export function markAt(ms: number, writer: WriterId = alice): Mark {
  return { ms, tick: 0, writer }
}

export function key(id: number | string): DocumentKey {
  return documentKey('notes', String(id).padStart(4, '0'))
}

export const title: PartName = partName('lww', 'title')
export const body: PartName = partName('text', 'body')

export function rowWith(value: string, mark: Mark): Row {
  const cell = { strategy: 'lww', last: mark, value: new TextEncoder().encode(value) } as const
  return { cells: new Map([[title, cell]]), deletion: null, revival: null }
}

export function tombstone(mark: Mark): Row {
  return { cells: new Map(), deletion: { mark, policy: 'delete-wins', seen: new Map() }, revival: null }
}

export function pulled(
  rows: readonly (readonly [DocumentKey, Row])[],
  more: Partial<PulledChunk> & { readonly cut?: number } = {},
): PulledChunk {
  const { cut, ...rest } = more
  return pulledChunk(relay, {
    rows: rows.map(([changed, delta]) => ({ key: changed, delta, parts: 0, texts: new Map() })),
    cursor: cut === undefined ? null : { generation, cut, place: 0 },
    ...rest,
  })
}

export function own(
  serial: number,
  rows: readonly (readonly [DocumentKey, Row])[],
  writer: WriterId = alice,
): Transaction {
  return {
    id: transactionId(writer, serial),
    writes: rows.map(([changed, delta]) => ({
      mark: markAt(serial, writer),
      key: changed,
      delta,
      texts: noTexts,
      replaced: nothingReplaced,
      whole: true,
    })),
    seen: rows.map(() => ({ exists: true, last: null, counted: nothingCounted })),
    correction: 0,
    heard: 0,
  }
}

export function acknowledged(ids: readonly TransactionId[]): VerdictsChunk {
  return {
    kind: 'verdicts',
    store: relay,
    generation,
    position: 1,
    cut: false,
    verdicts: ids.map(id => ({ id, outcome: { kind: 'acknowledged', shows: 'yes' } })),
    wants: [],
  }
}

/** A row in a form that two of them can be compared by. */
function toText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (isMapOfCells(part)) return { map: [...part] }
    return part instanceof Uint8Array ? { bytes: [...part] } : part
  })
}
