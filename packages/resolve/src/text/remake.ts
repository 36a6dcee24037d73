/**
 * Makes own text edits anew (SPEC W6, X9): the same edits at the same places, without what a refused update brought.
 *
 * Two texts are walked in step. The `old` one holds everything: confirmed, refused, and then one later update after
 * the other. The `new` one begins as confirmed. Beside them we keep the list of all characters that stand in either,
 * in their common order, as stretches. What a later update did is read from the old text as a delta, walked along
 * the stretches, and done to the new text: over characters that only the old one has it does nothing, and characters
 * that only the new one has (a refused delete took them from the old one) are passed over. The invariant: the
 * stretches in the old text are exactly what it shows, those in the new text exactly what that shows.
 *
 * A place between two characters is the same for both texts but where refused deletes left something standing in the
 * new one; an insert goes behind that, as Yjs itself inserts behind what is deleted.
 */
import * as Y from 'yjs'
import { captureEdit, createLiveText, type LiveText } from './live.ts'

/** Characters in a row that stand in the same texts. */
interface Stretch {
  readonly length: number
  readonly inOld: boolean
  readonly inNew: boolean
}

interface DeltaPart {
  readonly insert?: unknown
  readonly retain?: number | undefined
  readonly delete?: number | undefined
  readonly attributes?: Record<string, unknown> | undefined
}

/** One update for each of `later`, as `client` from its clock 0; null where nothing remains of it. */
export function remakeUpdates(
  confirmed: readonly Uint8Array[],
  refused: readonly Uint8Array[],
  later: readonly Uint8Array[],
  client: number,
): readonly (Uint8Array | null)[] {
  const remade = createLiveText(confirmed, { gc: true })
  const old = createLiveText([...confirmed, ...refused], { gc: false })
  let stretches = commonStretches(old.text, remade.document)
  return later.map(update => {
    const walk = walkDelta(stretches, deltaOf(old, update))
    stretches = walk.stretches
    return captureEdit(remade, client, text => text.applyDelta([...walk.delta]))
  })
}

/** What an update changes of a text, which it does. */
function deltaOf({ document, text }: LiveText, update: Uint8Array): readonly DeltaPart[] {
  let delta: readonly DeltaPart[] = []
  const observe = (event: Y.YTextEvent): void => {
    delta = event.delta
  }
  text.observe(observe)
  Y.applyUpdate(document, update)
  text.unobserve(observe)
  return delta
}

/** All that stands in the old text or in the confirmed one, in the order of the old one's structs. */
function commonStretches(old: Y.Text, confirmed: Y.Doc): readonly Stretch[] {
  const deleted = Y.createDeleteSetFromStructStore(confirmed.store)
  const stretches: Stretch[] = []
  for (let item = old._start; item !== null; item = item.right) {
    if (!item.countable) continue
    const { client, clock } = item.id
    const known = Math.max(0, Math.min(item.length, Y.getState(confirmed.store, client) - clock))
    if (!item.deleted) {
      pushStretch(stretches, known, true, true)
      pushStretch(stretches, item.length - known, true, false)
      continue
    }
    for (let i = 0; i < known; i++) {
      if (!Y.isDeleted(deleted, Y.createID(client, clock + i))) pushStretch(stretches, 1, false, true)
    }
  }
  return stretches
}

/** What a change of the old text does to the new one, and how they stand to each other after it. */
function walkDelta(
  stretches: readonly Stretch[],
  delta: readonly DeltaPart[],
): { readonly stretches: readonly Stretch[]; readonly delta: readonly DeltaPart[] } {
  const after: Stretch[] = []
  const made: DeltaPart[] = []
  let index = 0
  let passed = 0
  /** Goes over `length` characters of the old text; with 0, over what only the new one has. */
  const pass = (length: number, inBoth: (length: number) => DeltaPart, isDeleted: boolean): void => {
    for (let left = length; ; ) {
      const stretch = stretches[index]
      if (stretch === undefined || (left === 0 && (stretch.inOld || length > 0))) return
      const whole = stretch.length - passed
      const size = stretch.inOld ? Math.min(whole, left) : whole
      if (stretch.inOld) left -= size
      if (stretch.inNew) made.push(stretch.inOld ? inBoth(size) : { retain: size })
      if (!isDeleted || !stretch.inOld) pushStretch(after, size, stretch.inOld, stretch.inNew)
      passed = size === whole ? 0 : passed + size
      if (size === whole) index++
    }
  }
  for (const part of delta) {
    const { attributes } = part
    if (part.insert !== undefined) {
      pass(0, retain => ({ retain }), false)
      made.push(
        attributes === undefined
          ? { insert: part.insert }
          : { insert: part.insert, attributes: { ...attributes } },
      )
      pushStretch(after, typeof part.insert === 'string' ? part.insert.length : 1, true, true)
    } else if (part.retain !== undefined) {
      pass(
        part.retain,
        retain => (attributes === undefined ? { retain } : { retain, attributes: { ...attributes } }),
        false,
      )
    } else if (part.delete !== undefined) {
      pass(part.delete, length => ({ delete: length }), true)
    }
  }
  pass(Infinity, retain => ({ retain }), false)
  return { stretches: after, delta: made }
}

function pushStretch(stretches: Stretch[], length: number, inOld: boolean, inNew: boolean): void {
  if (length === 0) return
  const last = stretches.at(-1)
  if (last !== undefined && last.inOld === inOld && last.inNew === inNew) {
    stretches[stretches.length - 1] = { length: last.length + length, inOld, inNew }
  } else stretches.push({ length, inOld, inNew })
}
