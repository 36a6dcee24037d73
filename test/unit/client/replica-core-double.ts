/**
 * A `ReplicaCore` without a journal, tabs or a relay, over the real state: what a test says that the disk or a relay
 * did becomes a chunk, and is told at `tick`, as an engine would at the end of one.
 */
import type { ReplicaCore } from '@rejoin/client'
import {
  assert,
  bodyKey,
  createReplicaState,
  documentKey,
  earliestStamp,
  makeAnew,
  RejoinError,
  seenByWrites,
  stampWrite,
  transactionId,
  writerFromBytes,
  type Applied,
  type ChangedRow,
  type Chunk,
  type DocumentKey,
  type Failure,
  type GenerationId,
  type Level,
  type PartName,
  type PulledChunk,
  type StoreId,
  type TextPart,
  type TextSupport,
  type Transaction,
  type TransactionId,
  type WriterId,
  type WriterRecord,
} from '@rejoin/core'
import { pulledChunk } from '../core/chunks.ts'

export interface ReplicaCoreDouble extends ReplicaCore {
  closed: boolean
  /** Tells what changed since the last tick, once. */
  tick(): void
  /** Moves the device's clock. */
  pass(ms: number): void
  /** The disk has what was committed. */
  store(): void
  /** A relay has these, or all that is pending, on its disk. */
  acknowledge(...ids: TransactionId[]): void
  /** A relay refuses one. What stands on it is made anew, as an engine would do at once. */
  refuse(id: TransactionId, error: Failure): void
  /** What another replica wrote, once a relay has it, comes from there, one chunk for each transaction. */
  pullFrom(other: ReplicaCoreDouble): void
  /** As `pullFrom`, but that another tab has put the bodies away already: here only their rows are told. */
  skipFrom(other: ReplicaCoreDouble): void
  /** Who writers are. */
  learn(records: readonly WriterRecord[]): void
  /** This tab's writer was made anew, with nothing of it pending. */
  renewWriter(): void
  apply(chunk: Chunk): void
  /** As they were committed. */
  readonly transactions: readonly Transaction[]
  /** As a relay has them. */
  readonly published: readonly Transaction[]
  readonly writer: WriterId | null
  /** Lets bodies load only when the test says so. */
  holdBodies(): () => void
  readonly listeners: number
}

const relay = 'relay' as StoreId
const generation = 'generation' as GenerationId
let drawn = 0

export function createReplicaCoreDouble(support?: TextSupport): ReplicaCoreDouble {
  const state = createReplicaState()
  const listeners = new Set<(applied: Applied) => void>()
  const transactions: Transaction[] = []
  const published: Transaction[] = []
  const stored = new Set<TransactionId>()
  const confirmed = new Set<TransactionId>()
  const taken = new Set<string>()
  const putAway = new Map<string, readonly Uint8Array[]>()
  let waiting: { readonly isReached: () => boolean; readonly resolve: () => void }[] = []
  let writer: WriterId | null = null
  let clock = earliestStamp
  let time = 1_764_000_000_000
  let position = 0
  let serial = 0
  let gathered = nothing()
  let hold: Promise<void> = Promise.resolve()

  function gather({ changed, writers, rebuilt, arrived }: Applied): void {
    for (const key of changed) gathered.changed.add(key)
    for (const [from, to] of writers) gathered.writers.set(from, to)
    for (const body of rebuilt) gathered.rebuilt.add(body)
    for (const [body, updates] of arrived)
      gathered.arrived.set(body, [...(gathered.arrived.get(body) ?? []), ...updates])
  }

  function apply(chunk: Chunk): void {
    gather(state.apply(++position, chunk))
  }

  function drawWriter(): WriterId {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setUint32(4, ++drawn)
    bytes[0] = drawn % 256
    return writerFromBytes(bytes)
  }

  function settleWaits(): void {
    for (const { isReached, resolve } of waiting) if (isReached()) resolve()
    waiting = waiting.filter(({ isReached }) => !isReached())
  }

  function verdict(verdicts: Extract<Chunk, { kind: 'verdicts' }>['verdicts']): void {
    apply({ kind: 'verdicts', store: relay, generation, position, cut: false, verdicts, wants: [] })
  }

  function pulled(part: Partial<PulledChunk>): void {
    apply(pulledChunk(relay, { at: time, ...part }))
  }

  function bodyOf(key: DocumentKey, part: PartName): readonly Uint8Array[] {
    const body = bodyKey(key, part)
    return [...(putAway.get(body) ?? []), ...state.bodies.updatesOf(body)]
  }

  function pull(other: ReplicaCoreDouble, withTexts: boolean): void {
    other.acknowledge()
    for (const { id, writes } of other.published) {
      if (taken.has(id)) continue
      taken.add(id)
      const rows = writes.map(({ key, delta, texts }): ChangedRow => {
        const tails = new Map<PartName, TextPart>()
        for (const [part, updates] of texts) {
          if (withTexts) tails.set(part, { kind: 'tail', updates })
          else putAway.set(bodyKey(key, part), [...(putAway.get(bodyKey(key, part)) ?? []), ...updates])
        }
        return { key, delta, parts: 0, texts: tails }
      })
      pulled({ rows })
    }
  }

  const core: ReplicaCoreDouble = {
    state,
    closed: false,
    transactions,
    published,
    apply,
    get writer() {
      return writer
    },
    get listeners() {
      return listeners.size
    },
    nextMark(over) {
      writer ??= drawWriter()
      const next = stampWrite(clock, time, over)
      clock = next.clock
      return { ...next.stamp, writer }
    },
    commit(writes) {
      const [first] = writes
      assert(first !== undefined, 'a transaction has a write')
      const seen = seenByWrites(writes, state)
      const id = transactionId(first.mark.writer, ++serial)
      const transaction: Transaction = { id, writes, seen, correction: 0, heard: state.seen }
      transactions.push(transaction)
      const applied = state.write(transaction)
      gather(applied)
      return { transaction, changed: applied.changed }
    },
    onApplied(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    reached(id, level: Level) {
      const levels = level === 'local' ? stored : confirmed
      return new Promise(resolve => {
        waiting.push({ isReached: () => levels.has(id), resolve })
        settleWaits()
      })
    },
    async settleQuarantined(ids) {
      apply({ kind: 'settled', ids })
    },
    async loadBody(key, part) {
      await hold
      return bodyOf(key, part)
    },
    now: () => time,
    tick() {
      const applied = gathered
      gathered = nothing()
      for (const listener of [...listeners]) listener(applied)
    },
    pass(ms) {
      time += ms
    },
    store() {
      const fresh = transactions.filter(({ id }) => !stored.has(id) && state.outbox.get(id) !== undefined)
      if (fresh.length > 0) apply({ kind: 'own', transactions: fresh })
      for (const { id } of fresh) stored.add(id)
      settleWaits()
    },
    acknowledge(...ids) {
      core.store()
      const pending = [...state.outbox.entries()].map(entry => entry.transaction)
      const accepted = ids.length > 0 ? pending.filter(({ id }) => ids.includes(id)) : pending
      published.push(...accepted)
      const acknowledged = accepted.map(({ id }) => id)
      verdict(acknowledged.map(id => ({ id, outcome: { kind: 'acknowledged', shows: 'yes' } })))
      for (const id of acknowledged) confirmed.add(id)
      settleWaits()
    },
    refuse(id, error) {
      core.store()
      const refused = state.outbox.get(id)?.transaction
      assert(refused !== undefined, 'only what is in the outbox is refused')
      const keys = new Set(refused.writes.map(({ key }) => key))
      const context = { drawWriter, now: time, correction: 0, body: bodyOf, support: () => support }
      const remade = makeAnew(state, { from: id, keys, refused: { transaction: refused, error } }, context)
      if (remade === null) return
      apply(remade)
      settleWaits()
      if (remade.writers.some(({ from }) => from === writer)) writer = null
    },
    pullFrom: other => pull(other, true),
    skipFrom: other => pull(other, false),
    learn: records => pulled({ writers: records }),
    renewWriter() {
      const from = writer
      if (from === null) return
      writer = null
      apply({
        kind: 'remade',
        seen: state.seen,
        writers: [{ from, to: drawWriter() }],
        transactions: [],
        quarantined: [],
      })
    },
    holdBodies() {
      let release = (): void => undefined
      hold = new Promise(resolve => {
        release = resolve
      })
      return () => release()
    },
  }
  return core
}

/** The code with which something throws, or null. */
export function codeOf(run: () => unknown): string | null {
  try {
    run()
    return null
  } catch (error) {
    if (error instanceof RejoinError) return error.code
    throw error
  }
}

export function rowOf(
  core: ReplicaCore,
  collection: string,
  id: string,
): ReturnType<ReplicaCore['state']['visible']> {
  return core.state.visible(documentKey(collection, id))
}

/** Lets what was put off to the end of the tick run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

function nothing(): {
  readonly changed: Set<DocumentKey>
  readonly writers: Map<WriterId, WriterId>
  readonly rebuilt: Set<string>
  readonly arrived: Map<string, readonly Uint8Array[]>
} {
  return { changed: new Set(), writers: new Map(), rebuilt: new Set(), arrived: new Map() }
}
