/**
 * Screening: whether a text update may be stored and passed on (SPEC X4, X5, X8). A Yjs document takes in whatever
 * parses, parks what it cannot place, and lets nine bytes silence another writer for good; so it never gets to see
 * anything that this room has not read whole.
 *
 * What passes can be applied to a body of state `known` without a rest: no gap, no reference and no delete beyond
 * what is known or in the update itself, no circle of references.
 */
import { failure, limits, type Failure, type Outcome } from '@rejoin/core'
import { differenceOfBody } from './body.ts'
import { findCircle, type Reference } from './order.ts'
import { readUpdate, type Run, type Struct, type Update } from './wire.ts'

export interface ScreenOptions {
  /** The Yjs client id of the writer who submits it. Not looked at without `ownership`. */
  readonly client: number
  /** The state vector of the body that it is for. */
  readonly known: ReadonlyMap<number, number>
  /**
   * Whether every struct must be of `client`. True for a submit. False for text that is given back, from peers and
   * from relays: then everything else is checked, and up to a whole body may come at once.
   */
  readonly ownership: boolean
}

export interface ScreenedUpdate {
  /** What to store: the update, without structs that are known already (a resend that overlaps what is there). */
  readonly update: Uint8Array
  /** The state after it, of the clients whose structs it holds. */
  readonly stateVector: ReadonlyMap<number, number>
  /** Whether it adds structs or deletes. Deletes may be known already; a state vector does not tell. */
  readonly isNew: boolean
}

/** Never throws, whatever the bytes; time and memory are bounded by their length. */
export function screenUpdate(update: Uint8Array, options: ScreenOptions): Outcome<ScreenedUpdate> {
  const limit = options.ownership ? limits.textUpdateBytesMax : limits.textBytesMax
  if (update.length > limit) return refused(tooMuch('bytes of a text update', limit, update.length))
  const references: Reference[] = []
  let looksBack = true
  const read = readUpdate(update, struct => {
    looksBack = gatherReferences(struct, options.known, references) && looksBack
  })
  if (!read.ok) return read
  const fault =
    (looksBack ? null : failure('text-invalid', { reason: 'a struct refers to what comes after it' })) ??
    faultOfRuns(read.value.runs, options) ??
    faultOfReferences(read.value, references, options.known)
  return fault === null ? { ok: true, value: passUpdate(update, read.value, options.known) } : refused(fault)
}

/** Adds what a struct refers to beyond what is known. False if it refers to its own client's future. */
function gatherReferences(
  struct: Struct,
  known: ReadonlyMap<number, number>,
  references: Reference[],
): boolean {
  const isOriginSound = gatherReference(struct, struct.originClient, struct.originClock, known, references)
  const isRightSound = gatherReference(struct, struct.rightClient, struct.rightClock, known, references)
  return isOriginSound && isRightSound
}

function gatherReference(
  { client, clock }: Struct,
  onClient: number,
  onClock: number,
  known: ReadonlyMap<number, number>,
  references: Reference[],
): boolean {
  if (onClient === client) return onClock < clock
  if (onClient >= 0 && onClock >= (known.get(onClient) ?? 0)) {
    references.push({ client, clock, onClient, onClock })
  }
  return true
}

function faultOfRuns(runs: readonly Run[], { client, known, ownership }: ScreenOptions): Failure | null {
  for (const run of runs) {
    if (ownership && run.client !== client) return failure('text-not-owned', { client: run.client })
    const have = known.get(run.client) ?? 0
    if (run.clock > have) return gap(run.client, have, run.clock)
  }
  return null
}

function faultOfReferences(
  update: Update,
  references: readonly Reference[],
  known: ReadonlyMap<number, number>,
): Failure | null {
  const after = stateAfter(update, known)
  for (const { onClient, onClock } of references) {
    const have = after.get(onClient) ?? known.get(onClient) ?? 0
    if (onClock >= have) return gap(onClient, have, onClock)
  }
  for (const [client, ranges] of update.deletes) {
    const have = after.get(client) ?? known.get(client) ?? 0
    for (const { clock, length } of ranges) if (clock + length > have) return gap(client, have, clock)
  }
  return findCircle(references)
    ? failure('text-invalid', { reason: 'structs refer to each other in a circle' })
    : null
}

function passUpdate(bytes: Uint8Array, update: Update, known: ReadonlyMap<number, number>): ScreenedUpdate {
  const overlaps = update.runs.some(run => run.clock < (known.get(run.client) ?? 0))
  const adds = update.runs.some(run => run.end > (known.get(run.client) ?? 0))
  return {
    update: overlaps ? differenceOfBody([bytes], known) : bytes,
    stateVector: stateAfter(update, known),
    isNew: adds || update.deletes.size > 0,
  }
}

function stateAfter(update: Update, known: ReadonlyMap<number, number>): ReadonlyMap<number, number> {
  return new Map(update.runs.map(run => [run.client, Math.max(run.end, known.get(run.client) ?? 0)]))
}

function gap(client: number, have: number, from: number): Failure {
  return failure('text-gap', { client, have, from })
}

function tooMuch(what: string, limit: number, actual: number): Failure {
  return failure('limit-exceeded', { what, limit, actual })
}

function refused(error: Failure): { readonly ok: false; readonly error: Failure } {
  return { ok: false, error }
}
