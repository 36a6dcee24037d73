/**
 * What of a pull need not be stored, or not at once. A chunk after which the state is what it was is not worth a place
 * in the journal: each session, and each question for a cut, would leave one there (SPEC P1). But one a day is, since
 * forgetting counts by when what was stored (SPEC D2).
 */
import type { PulledChunk } from '../chunk.ts'
import { joinPositions, type Cursor, type Positions } from '../generations.ts'
import type { DocumentKey } from '../row.ts'
import type { ReplicaState } from './replica.ts'

type Known = Pick<
  ReplicaState,
  'cursors' | 'frontier' | 'reach' | 'wants' | 'wantsOf' | 'generations' | 'pulledAt'
>

const dayMs = 24 * 3_600_000

export function bringsNothing(chunk: PulledChunk, state: Known): boolean {
  const { store, cursor, wants, reach } = chunk
  return (
    bringsPlacesAlone(chunk, state) &&
    (cursor === null || isSameCursor(cursor, state.cursors.get(store))) &&
    isSameList(wants, state.wantsOf(store)) &&
    keepsFrontier(chunk, state) &&
    (reach === null || isSame(reach, state.reach))
  )
}

/**
 * Whether it only says how far things have come, of a feed that was at a cut before: that may be stored with what comes
 * next. What is here does not change, so the places of a step earlier are as true (SPEC P3). The cut behind pages is
 * another matter: without it all of them would be sent again.
 */
export function maySayLater(chunk: PulledChunk, state: Known): boolean {
  const { store, cursor, wants } = chunk
  const held = state.cursors.get(store)
  return (
    bringsPlacesAlone(chunk, state) &&
    cursor !== null &&
    cursor.generation === held?.generation &&
    held.cut === held.place &&
    // The frontier says of which rows nobody is asked any more (SPEC P4).
    wants.length + state.wants.length + state.wantsOf(store).length === 0
  )
}

function bringsPlacesAlone({ at, rows, texts, writers, generations }: PulledChunk, state: Known): boolean {
  return at < state.pulledAt + dayMs && rows.length + texts.length + writers.length + generations.length === 0
}

function keepsFrontier({ frontier }: PulledChunk, state: Known): boolean {
  if (frontier === null) return true
  const { positions, how } = frontier
  if (how === 'replace') return isSame(positions, state.frontier)
  return joinPositions(state.generations, state.frontier, positions) === state.frontier
}

function isSameList(a: readonly DocumentKey[], b: readonly DocumentKey[]): boolean {
  return a.length === b.length && a.every((key, i) => key === b[i])
}

function isSameCursor(a: Cursor, b: Cursor | undefined): boolean {
  return b !== undefined && a.generation === b.generation && a.cut === b.cut && a.place === b.place
}

function isSame(a: Positions, b: Positions): boolean {
  return a.size === b.size && [...a].every(([generation, position]) => b.get(generation) === position)
}
