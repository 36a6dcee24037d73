/**
 * Folding: what was typed into a text is compacted into its snapshot once it has outgrown that (SPEC X2).
 *
 *   grew --> rest --> compact, in steps of bounded time --> swap, between two turns
 *
 * It waits a while first, so that typing is gathered and nobody waits for it; a space is folded at most once in that
 * time, and what is folded together costs one commit. What a fold costs is in proportion to what was typed.
 */
import {
  RejoinError,
  type DocumentKey,
  type HeldRow,
  type PartName,
  type SpaceCommit,
  type StoredText,
} from '@rejoin/core'
import { mergingBody } from '@rejoin/resolve/screen'
import type { KernelOptions } from '../kernel-port.ts'

export interface Folding {
  /** Notes what a commit added to bodies. */
  grew(texts: SpaceCommit['texts']): void
  readonly isIdle: boolean
  /** Begins nothing any more; resolves when what is under way has ended. */
  stop(): Promise<void>
}

interface Body {
  readonly key: DocumentKey
  readonly part: PartName
}

interface Compacted extends Body {
  readonly read: StoredText
  readonly snapshot: Uint8Array
}

const restMs = 1000
/** How long one step may keep everybody waiting. */
const stepMs = 5
/** A tail is folded when it is longer than this, and than this share of its snapshot. */
const tailBytesMin = 1024
const tailShare = 1 / 16
/** So many bytes of snapshots are written in one commit. */
const batchBytes = 1024 * 1024

export function createFolding(
  space: string,
  { store, runtime, log }: KernelOptions,
  /** Runs it while no turn is under way. */
  betweenTurns: (run: () => Promise<void>) => Promise<void>,
): Folding {
  let grown = new Map<string, Body>()
  let cancel: (() => void) | null = null
  let running: Promise<void> | null = null
  let isStopped = false

  function rest(): void {
    if (isStopped || cancel !== null || running !== null || grown.size === 0) return
    cancel = runtime.after(restMs, () => {
      cancel = null
      running = foldGrown()
        .catch(error => void fail(error))
        .finally(() => {
          running = null
          rest()
        })
    })
  }

  async function foldGrown(): Promise<void> {
    const bodies = [...grown.values()]
    grown = new Map()
    let batch: Compacted[] = []
    let bytes = 0
    for (const body of bodies) {
      const compacted = await compact(body).catch(fail)
      if (isStopped) return
      if (compacted === null) continue
      batch.push(compacted)
      bytes += compacted.snapshot.length
      if (bytes < batchBytes) continue
      await swap(batch)
      batch = []
      bytes = 0
    }
    await swap(batch)
  }

  async function compact({ key, part }: Body): Promise<Compacted | null> {
    const { snapshot, tail } = await store.textSize(space, key, part)
    if (tail < Math.max(tailBytesMin, snapshot * tailShare)) return null
    const read = await store.storedText(space, key, part)
    if (read.updates.length < 2) return null
    const compacted = await takeSteps(mergingBody(read.updates))
    return compacted === null ? null : { key, part, read, snapshot: compacted }
  }

  /** Null if it was stopped. */
  async function takeSteps<Value>(steps: Generator<undefined, Value>): Promise<Value | null> {
    let began = runtime.monotonic()
    for (;;) {
      const step = steps.next()
      if (step.done === true) return step.value
      if (runtime.monotonic() - began < stepMs) continue
      await new Promise<void>(resolve => void runtime.after(0, resolve))
      if (isStopped) return null
      began = runtime.monotonic()
    }
  }

  async function swap(batch: readonly Compacted[]): Promise<void> {
    if (batch.length === 0) return
    await betweenTurns(async () => {
      const rows = new Map(
        await store.rows(
          space,
          batch.map(({ key }) => key),
        ),
      )
      const folds = batch.flatMap(one => {
        const held = resize(rows.get(one.key), one)
        if (held === null) return []
        rows.set(one.key, held)
        return store.fold({ ...one, space, held })
      })
      await Promise.all(folds)
    })
  }

  /** What a store cannot do, commits tell of; a body that cannot be read stays as it is. */
  function fail(error: unknown): null {
    const isStorage = error instanceof RejoinError && error.code.startsWith('storage-')
    if (!isStorage) log.error({ space, error: String(error) }, 'a text could not be folded')
    return null
  }

  return {
    grew(texts) {
      for (const { key, part } of texts) grown.set(`${part}\n${key}`, { key, part })
      rest()
    },
    get isIdle() {
      return cancel === null && running === null
    },
    async stop() {
      isStopped = true
      cancel?.()
      cancel = null
      await running
    },
  }
}

/** The row with the size that its text has when the fold is in the place of what was read. */
function resize(held: HeldRow | undefined, { part, read, snapshot }: Compacted): HeldRow | null {
  const text = held?.texts.get(part)
  if (held === undefined || text === undefined) return null
  const before = read.updates.reduce((sum, update) => sum + update.length, 0)
  const bytes = text.bytes - before + snapshot.length
  return { ...held, texts: new Map([...held.texts, [part, { ...text, bytes }]]) }
}
