/**
 * The engine below the surface: a state fed by a journal, and what makes own writes visible at once, durable soon, and
 * tells how far they have come (SPEC W1, A2).
 *
 * It knows nothing of tabs and connections. Its invariant: the state changes by `write`, before the disk, and by the
 * journal's chunks, after it, and by nothing else; so all tabs come to the same state whatever each of them heard.
 */
import {
  createReplicaState,
  isLater,
  lastOfOthers,
  RejoinError,
  seenByWrites,
  transactionId,
  type Applied,
  type Chunk,
  type Copies,
  type Level,
  type Mark,
  type Positions,
  type ReplicaState,
  type Runtime,
  type Transaction,
  type TransactionId,
  type Write,
  type WriterId,
} from '@rejoin/core'
import { createAppliedBatch, nothingApplied } from './applied-batch.ts'
import { createDeviceClock, type DeviceClock } from './device-clock.ts'
import type { WriteHeed } from './journal/gather.ts'
import type { Journal } from './journal/journal.ts'
import type { JournalSink } from './journal/sink.ts'
import { createMilestones } from './milestones.ts'
import type { ReplicaCore } from './replica-core.ts'
import { createStateSink } from './state-sink.ts'
import { countPending } from './status.ts'
import { createWriterStamps } from './writer-stamps.ts'

export interface Engine extends ReplicaCore {
  readonly clock: DeviceClock
  readonly journal: Journal
  /** A writer that nobody else has: for writes that are made anew. */
  drawWriter(): WriterId
  /** From its next write on this tab has another writer. */
  renewWriter(): void
  /** What levels are to be had may have changed. */
  heedLevels(): void
  /** What relays told to be at quorum (SPEC A3). */
  atQuorum(told: Positions): void
  /** No write comes any further: refuses whatever waits for a level, from now on too. */
  refuse(error: RejoinError): void
  /** Own transactions on fewer relays than are wanted, those not on this disk yet included. */
  pending(): number
  /** Stops taking writes and refuses what waits for a level. The journal is closed by whoever made it. */
  close(): void
}

export interface EngineOptions {
  readonly name: string
  readonly runtime: Runtime
  /** On how many relays own writes are to be; one, unless stated. */
  readonly copies?: Copies | undefined
  /** Makes the journal over the state's sink. */
  readonly createJournal: (sink: JournalSink) => Journal
  /** Levels that are to be had beside the memory: this device's disk, and what the relay gives, as far as it is known. */
  readonly levels: () => readonly Level[]
  /** Whether a relay may still say that it gives more. */
  readonly awaitsLevels: () => boolean
  /** An own write cannot be stored any more, because the store is gone. */
  readonly onUnsaved: (id: TransactionId, error: unknown) => void
}

/** From the end, where the latest is, as a rule: of most others it shows in one look that they are not. */
function latestOf(writes: readonly Write[], before: Mark | null): Mark | null {
  let last = before
  for (let i = writes.length - 1; i >= 0; i--) {
    const { mark } = writes[i] as Write
    if (last === null || (mark.ms >= last.ms && isLater(mark, last))) last = mark
  }
  return last
}

/** An engine that has read nothing yet: `journal.read()` is the next call. */
export function createEngine(options: EngineOptions): Engine {
  const { name, runtime } = options
  const state: ReplicaState = createReplicaState(options.copies)
  const clock = createDeviceClock(runtime)
  const stamps = createWriterStamps(runtime, clock.now)
  const batch = createAppliedBatch()
  const milestones = createMilestones(state, runtime, options.levels, options.awaitsLevels)
  const serials = new Map<WriterId, number>()
  /** Own writes that are on disk and perhaps not read from there. */
  const written = new Map<TransactionId, { readonly position: number; readonly transaction: Transaction }>()
  let refusal: RejoinError | null = null

  const sink = createStateSink(state, (applied, chunk) => {
    batch.note(applied)
    renewAfter(applied)
    milestones.overtaken(applied.overtaken)
    if (chunk === null) {
      // Rows that this tab wrote may have been forgotten in what it did not read one by one (SPEC D2).
      stamps.renew()
      milestones.recheck()
      settleWritten()
    } else {
      hear(chunk)
      milestones.follow(chunk)
    }
  })
  const journal = options.createJournal(sink)

  /**
   * X9: what is typed in a text that is built again goes on from another state, while what this writer typed before is
   * perhaps on its way; so it must not give the same Yjs ids again.
   */
  function renewAfter({ writers, rebuilt }: Applied): void {
    const { writer } = stamps
    if (writer === null || (rebuilt.size === 0 && !writers.has(writer))) return
    if (!writers.has(writer)) batch.note({ ...nothingApplied, writers: new Map([[writer, writer]]) })
    stamps.renew()
  }

  /** The clock went past what this tab stamped, so that is not heard. A transaction is of one writer, whom its id names. */
  function isOwn(id: TransactionId): boolean {
    return stamps.writer !== null && id.startsWith(stamps.writer)
  }

  /** C3: what is on disk here moves the clock. */
  function hear(chunk: Chunk): void {
    let last: Mark | null = null
    if (chunk.kind === 'pulled') {
      last = lastOfOthers(chunk.rows, stamps.writer)
    } else if (chunk.kind === 'own') {
      for (const { id, writes } of chunk.transactions) if (!isOwn(id)) last = latestOf(writes, last)
    } else if (chunk.kind === 'forgotten') {
      // D2: a writer in use must not have written what is forgotten; so none that has is used any more.
      stamps.renew()
    }
    if (last !== null) stamps.hear(last)
  }

  const heed: WriteHeed = {
    stored(transaction, position) {
      if (refusal !== null) return
      // The rule: it was applied as soon as it was stored. Of thousands none is looked for where none is left.
      const { outbox, seen } = state
      if (seen >= position && (outbox.counts.unstored === 0 || outbox.get(transaction.id)?.position !== 0))
        return
      written.set(transaction.id, { position, transaction })
      settleWritten()
    },
    failed({ id }, error) {
      milestones.unsaved(id, error)
      options.onUnsaved(id, error)
    },
  }

  /** Pages of another tab may hold a write that is still taken for unwritten here: then its own chunk never comes. */
  function settleWritten(): void {
    for (const [id, { position, transaction }] of written) {
      if (state.seen < position) continue
      written.delete(id)
      if (state.outbox.get(id)?.position !== 0) continue
      const applied = state.apply(position, { kind: 'own', transactions: [transaction] })
      batch.note(applied)
      milestones.overtaken(applied.overtaken)
      milestones.recheck()
    }
  }

  const engine: Engine & { closed: boolean } = {
    state,
    clock,
    journal,
    now: clock.now,
    nextMark: stamps.next,
    drawWriter: stamps.draw,
    renewWriter: stamps.renew,
    closed: false,
    pending: () => countPending(state),
    commit(writes, bytes) {
      if (refusal !== null) throw refusal
      const writer = writes[0]?.mark.writer ?? stamps.draw()
      const serial = (serials.get(writer) ?? 0) + 1
      serials.set(writer, serial)
      const seen = seenByWrites(writes, state)
      const id = transactionId(writer, serial)
      const transaction: Transaction = { id, writes, seen, correction: clock.offsetMs(), heard: state.seen }
      const applied = state.write(transaction)
      // First on its way to the disk, then told: what waits for the disk waits no longer for who listens.
      journal.write(transaction, heed, bytes)
      batch.noteOwn(applied)
      return { transaction, changed: applied.changed }
    },
    onApplied: batch.onApplied,
    reached: milestones.reached,
    heedLevels: milestones.recheck,
    atQuorum: milestones.atQuorum,
    refuse: milestones.close,
    async settleQuarantined(ids) {
      if (refusal !== null) throw refusal
      await journal.append({ kind: 'settled', ids }, { durability: 'strict' })
    },
    loadBody: journal.readBody,
    close() {
      if (refusal !== null) return
      refusal = new RejoinError('closed', { what: name }, `the replica ${name} was closed; open it again`)
      engine.closed = true
      milestones.close(refusal)
      batch.close()
    },
  }
  return engine
}
