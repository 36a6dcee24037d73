/**
 * Gathering: what one tick wrote, and what came while a commit was in flight, goes to disk in one transaction (SPEC W1).
 *
 * A thousand writes cost twice what one costs; thousands are several chunks, as no record is to be that long. What
 * cannot be stored now, for want of room or because the engine aborted it, keeps its place at the head of the queue: own
 * writes are never reordered and never dropped while the tab and its store live, since what is written next may stand on
 * them. What can never be stored takes with it what waits behind it. A page that goes
 * away takes its queue with it, but not what it has handed to the storage; so then nothing waits for what is in flight.
 */
import { limits, RejoinError, sizeOfTransaction, type OwnChunk, type Transaction } from '@rejoin/core'

/** Who is told what became of own writes: one object for all of them, since there may be thousands in a tick. */
export interface WriteHeed {
  /** It is on disk at a position, and applied as far as this tab has read. */
  stored(transaction: Transaction, position: number): void
  /** It never will be. */
  failed(transaction: Transaction, error: unknown): void
}

export interface Gatherer {
  write(transaction: Transaction, heed: WriteHeed, bytes?: number): void
  /**
   * These were read from the disk: also what an engine said to have aborted may be there, if it went down before it said
   * that it had stored it.
   */
  met(transactions: readonly Transaction[], position: number): void
  /** Tries again; resolves when nothing is queued. */
  flush(): Promise<void>
  /** The page may go away: until `linger`, what is written is handed to the storage in its own tick. */
  hurry(): void
  linger(): void
  /** Whatever is queued or comes is refused. */
  stop(error: unknown): void
}

/** As counted at most, which of texts is twice what they take. */
const chunkBytesMax = 8 * limits.submitBytesMax
const chunksMax = 4

interface Queued {
  readonly serial: number
  readonly transaction: Transaction
  readonly heed: WriteHeed
  readonly bytes: number
}

export function createGatherer(
  append: (chunks: readonly OwnChunk[]) => Promise<readonly number[]>,
  onFault: (error: RejoinError | null) => void,
  /** Reads what is on the disk, before what failed is tried again. */
  catchUp: () => Promise<unknown>,
): Gatherer {
  let queue: Queued[] = []
  let flying: Promise<void> | null = null
  let fault: RejoinError | null = null
  let stopped: { readonly error: unknown } | null = null
  let isHurried = false
  let serial = 0

  async function run(): Promise<void> {
    try {
      while (queue.length > 0 && (await storeBatch())) continue
    } finally {
      // In one go with the look at the queue: what comes from here on starts a run of its own.
      flying = null
    }
  }

  /** Says whether to go on. */
  async function storeBatch(): Promise<boolean> {
    if (fault !== null) await catchUp()
    if (queue.length === 0) {
      clearFault()
      return false
    }
    // Where there was no room for all of them there may be some for a few; and of a page that goes away one alone is
    // committed whatever becomes of the page.
    const chunks = chunksOf(queue, fault === null && !isHurried ? chunksMax : 1)
    const batch = chunks.flat()
    queue = queue.slice(batch.length)
    let positions: readonly number[]
    try {
      positions = await append(
        chunks.map(chunk => ({ kind: 'own', transactions: chunk.map(({ transaction }) => transaction) })),
      )
    } catch (error) {
      if (stopped !== null || !(error instanceof RejoinError)) {
        // What was written since may stand on it, and nobody was told yet: it must not outlive it.
        const gone = [...batch, ...queue]
        queue = []
        fail(gone, error)
        return false
      }
      // Of several that were in flight, each comes back in its own time.
      queue = [...batch, ...queue].sort((a, b) => a.serial - b.serial)
      fault = error
      onFault(error)
      return false
    }
    clearFault()
    for (const [i, position] of positions.entries())
      for (const { transaction, heed } of chunks[i] ?? []) heed.stored(transaction, position)
    return true
  }

  function clearFault(): void {
    if (fault !== null) onFault((fault = null))
  }

  /** Where there is no room, what came back to the head of the queue is not to be passed. */
  function handOver(): void {
    while (isHurried && fault === null && queue.length > 0) void storeBatch()
  }

  function start(): Promise<void> {
    // A microtask later, so that what the same tick writes comes along.
    flying ??= Promise.resolve().then(run)
    return flying
  }

  return {
    write(transaction, heed, bytes = sizeOfTransaction(transaction)) {
      const refusal = stopped
      if (refusal !== null) return queueMicrotask(() => heed.failed(transaction, refusal.error))
      queue.push({ serial: ++serial, transaction, heed, bytes })
      if (isHurried) queueMicrotask(handOver)
      if (flying === null) void start()
    },
    met(transactions, position) {
      if (fault === null) return
      const ids = new Set(transactions.map(({ id }) => id))
      const found = queue.filter(({ transaction }) => ids.has(transaction.id))
      if (found.length === 0) return
      queue = queue.filter(({ transaction }) => !ids.has(transaction.id))
      for (const { transaction, heed } of found) heed.stored(transaction, position)
    },
    async flush() {
      await start()
      if (fault !== null) throw fault
    },
    hurry() {
      isHurried = true
      handOver()
    },
    linger() {
      isHurried = false
    },
    stop(error) {
      stopped ??= { error: fault ?? error }
      fail(queue, stopped.error)
      queue = []
    },
  }
}

function fail(writes: readonly Queued[], error: unknown): void {
  for (const { transaction, heed } of writes) heed.failed(transaction, error)
}

/** What of the head of the queue goes next: what is pasted by the thousands is not one record of a database. */
function chunksOf(queue: readonly Queued[], most: number): readonly (readonly Queued[])[] {
  const chunks: Queued[][] = []
  let chunk: Queued[] = []
  let bytes = 0
  for (const one of queue) {
    bytes += one.bytes
    const isFull = bytes > chunkBytesMax || chunk.length === limits.transactionsPerChunkMax
    if (chunks.length === 0 || isFull) {
      if (chunks.length === most) break
      chunks.push((chunk = []))
      bytes = one.bytes
    }
    chunk.push(one)
  }
  return chunks
}
