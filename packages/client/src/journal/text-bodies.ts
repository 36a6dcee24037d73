/**
 * Confirmed bodies of texts, beside the pages (SPEC X8). Updates arrive inside chunks, so a commit is one put, and move
 * here when pages are written; then those of a field that the application declares are joined into few, so that what
 * is stored of a text does not grow by an update with each edit.
 *
 * A body may hold an update twice, after a run that ended before its floor moved; to Yjs that is nothing. Exact
 * copies are left out, so that repeated crashes do not make it grow.
 */
import {
  bodyKey,
  keyOfBytes,
  type BodyUpdates,
  type DocumentKey,
  type PartName,
  type Storage,
} from '@rejoin/core'
import type { StorageRequest } from '@rejoin/core'
import type { Fence } from './fence.ts'
import type { JournalSink } from './sink.ts'

/** As few updates as may be that hold all of these. */
export type MergeTexts = (
  key: DocumentKey,
  part: PartName,
  updates: readonly Uint8Array[],
) => readonly Uint8Array[]

interface BodyRecord {
  readonly updates: readonly Uint8Array[]
}

/** Bodies rewritten in one transaction. */
const bodiesPerStep = 16

/** A body as it is known here: what is stored, then what came since. Never less than this tab had applied before the call. */
export async function readBody(
  storage: Storage,
  sink: JournalSink,
  key: DocumentKey,
  part: PartName,
): Promise<readonly Uint8Array[]> {
  // Before the store is asked: what another tab's compaction moves meanwhile is then met here, or there, or twice. What it
  // has of a document that was forgotten is of before that, or in memory too (SPEC D2).
  const isForgotten = sink.bodies.isForgotten(key)
  const held = [...sink.bodies.updatesOf(bodyKey(key, part))]
  const [stored] = await storage.transact({
    stores: ['texts'],
    mode: 'readonly',
    early: true,
    requests: [{ op: 'get', store: 'texts', key: [key, part] }],
  })
  const later = sink.bodies.updatesOf(bodyKey(key, part))
  return [...(isForgotten ? [] : updatesOf(stored)), ...new Set([...held, ...later])]
}

export async function moveBodies(options: {
  readonly storage: Storage
  readonly fence: Fence
  readonly bodies: readonly BodyUpdates[]
  readonly forgotten: readonly DocumentKey[]
  readonly merge: MergeTexts | undefined
}): Promise<void> {
  const { storage, fence, bodies, forgotten, merge } = options
  // First: of what is back nothing is merged with what was before (SPEC D2).
  if (forgotten.length > 0) {
    const requests = forgotten.map((key): StorageRequest => {
      // Everything of this document: no part's name begins with the last character that there is.
      return { op: 'delete', store: 'texts', range: { lower: [key], upper: [key, '\uffff'] } }
    })
    await fence.transact({ stores: ['texts'], durability: 'strict', requests })
  }
  for (let i = 0; i < bodies.length; i += bodiesPerStep) {
    const portion = bodies.slice(i, i + bodiesPerStep)
    const stored = await storage.transact({
      stores: ['texts'],
      mode: 'readonly',
      early: true,
      requests: portion.map(
        ({ key, part }): StorageRequest => ({ op: 'get', store: 'texts', key: [key, part] }),
      ),
    })
    const requests = portion.map(({ key, part, updates }, n): StorageRequest => {
      const all = withoutCopies([...updatesOf(stored[n]), ...updates])
      const value: BodyRecord = { updates: merge === undefined ? all : merge(key, part, all) }
      return { op: 'put', store: 'texts', key: [key, part], value }
    })
    await fence.transact({ stores: ['texts'], durability: 'strict', requests })
  }
}

function updatesOf(stored: unknown): readonly Uint8Array[] {
  return (stored as BodyRecord | undefined)?.updates ?? []
}

function withoutCopies(updates: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...new Map(updates.map(update => [keyOfBytes(update), update])).values()]
}
