/**
 * A body as a live document, with the updates that it is made of.
 *
 * Invariant: all that is in the document is logged, or was typed and is to be written, or is still to be taken from the
 * document; and what is logged is taken in once.
 */
import type { TextAnew, TextDocument, TextSupport } from '@rejoin/core'

export interface LiveBody {
  readonly document: TextDocument
  /** All that is in it, but for what was typed and is not written. */
  logged(): readonly Uint8Array[]
  /** What was typed and is not written. */
  typed(): readonly Uint8Array[]
  /** Takes in what came from elsewhere. Whether there was anything in it that was not here. */
  take(updates: readonly Uint8Array[]): boolean
  /** Takes in own edits that were made beside it, as typed; edits bear this Yjs client id from then on. */
  type(updates: readonly TextAnew[], client: number): void
  /** This is going to come from elsewhere too, being written. */
  expect(update: Uint8Array): void
  /** So many of what was typed are written, as these. */
  wrote(count: number, updates: readonly Uint8Array[]): void
  /** Whether all that is logged is among what stands, so that nothing was taken out. */
  holdsNoMoreThan(standing: readonly Uint8Array[]): boolean
  close(): void
}

/** A Yjs client id beyond those that anybody has, a reader too: for edits that are typed again at once by who they are for. */
export const scratchClient: number = 2 ** 32 + 1
/** So many updates are kept apart before they are merged into one. */
const loggedMax = 256

export function openLiveBody(
  support: TextSupport,
  standing: readonly Uint8Array[],
  client: number,
  onEdit: () => void,
): LiveBody {
  const known = new WeakSet<Uint8Array>()
  let logged: Uint8Array[] = []
  let typed: readonly Uint8Array[] = []
  for (const update of standing) log(update)
  const document = support.open(logged, client)
  document.onEdit(onEdit)

  function log(update: Uint8Array): void {
    known.add(update)
    logged.push(update)
    if (logged.length > loggedMax) logged = [support.merge(logged)]
  }

  function allTyped(): readonly Uint8Array[] {
    const edits = document.takeEdits()
    if (edits.length > 0) typed = [...typed, ...edits]
    return typed
  }

  return {
    document,
    logged: () => logged,
    typed: allTyped,
    take(updates) {
      const arrived = updates.filter(update => !known.has(update))
      if (arrived.length === 0) return false
      arrived.forEach(log)
      document.apply(arrived)
      return true
    },
    type(updates, client) {
      const edits = updates.filter(update => update instanceof Uint8Array)
      typed = [...allTyped(), ...edits]
      // Yjs takes fright when its own client's updates come from outside, and says so on the console.
      document.setClient(scratchClient)
      document.apply(edits)
      document.setClient(client)
    },
    expect: update => void known.add(update),
    wrote(count, updates) {
      typed = typed.slice(count)
      // One for a tick, and not one for each of its edits: a log that is long is merged, again and again.
      for (const update of updates) log(update)
    },
    holdsNoMoreThan(standing) {
      return support.head(standing).digest === support.head([...standing, ...logged]).digest
    },
    close: () => document.close(),
  }
}
