/**
 * Where the characters of one text stand in another one that was made from it: of each its image, which is the
 * character itself if both texts have it, the one that took its place if it was made anew, or nothing.
 *
 * A character is named by its Yjs id. Those that were typed in a row have ids in a row, and so have their images, so
 * what is kept are spans.
 */
import * as Y from 'yjs'

export interface Span {
  readonly client: number
  readonly clock: number
  readonly length: number
}

interface Move {
  readonly clock: number
  readonly length: number
  readonly client: number
  readonly to: number
}

export interface Images {
  /** What took the place of these characters stands in place of others, and may have been made anew in turn. */
  moved(from: readonly Span[], to: readonly Span[]): void
  /** What took their place stands in the new text now. */
  made(from: readonly Span[], to: readonly Span[]): void
  /** The image of a character, and how many beside it have theirs beside it, or, as it, none. */
  at(client: number, clock: number): Image
  /** Where characters stand, those left out that stand nowhere. */
  of(span: Span): readonly Span[]
}

export interface Image {
  readonly id: Y.ID | null
  readonly before: number
  readonly behind: number
}

/** `stateOf`: how many characters of a client both texts had at the beginning. */
export function createImages(stateOf: (client: number) => number): Images {
  const moves = new Map<number, Move[]>()
  const final = new Map<number, Move[]>()

  function at(client: number, clock: number): Image {
    let id = Y.createID(client, clock)
    let before = Infinity
    let behind = Infinity
    for (;;) {
      const made = lastUpTo(final.get(id.client), id.clock)
      const moved = lastUpTo(moves.get(id.client), id.clock)
      const isMade = made !== undefined && id.clock < endOf(made)
      const move = isMade ? made : moved
      if (move === undefined || id.clock >= endOf(move)) {
        const known = stateOf(id.client)
        if (id.clock < known)
          return { id, before: Math.min(before, id.clock), behind: Math.min(behind, known - id.clock - 1) }
        const from = Math.max(known, endOf(made), endOf(moved))
        return { id: null, before: Math.min(before, id.clock - from), behind: 0 }
      }
      const passed = id.clock - move.clock
      before = Math.min(before, passed)
      behind = Math.min(behind, move.length - passed - 1)
      id = Y.createID(move.client, move.to + passed)
      if (isMade) return { id, before, behind }
    }
  }

  return {
    moved: (from, to) => link(moves, from, to),
    made: (from, to) => link(final, from, to),
    at,
    of({ client, clock, length }) {
      const found: Span[] = []
      for (let next = clock; next < clock + length; ) {
        const { id, behind } = at(client, next)
        const size = Math.min(behind + 1, clock + length - next)
        if (id !== null) found.push({ client: id.client, clock: id.clock, length: size })
        next += size
      }
      return found
    },
  }
}

function endOf(move: Move | undefined): number {
  return move === undefined ? 0 : move.clock + move.length
}

/** Links characters with what took their places, as far as both go. */
function link(moves: Map<number, Move[]>, from: readonly Span[], to: readonly Span[]): void {
  let next = 0
  let used = 0
  for (const { client, clock, length } of from) {
    for (let passed = 0; passed < length; ) {
      const target = to[next]
      if (target === undefined) return
      const size = Math.min(length - passed, target.length - used)
      const list = moves.get(client) ?? []
      moves.set(client, list)
      list.push({ clock: clock + passed, length: size, client: target.client, to: target.clock + used })
      passed += size
      used += size
      if (used === target.length) {
        next += 1
        used = 0
      }
    }
  }
}

/** The last that begins at a clock or before. A client's characters are linked in the order in which they were typed. */
function lastUpTo(list: readonly Move[] | undefined, clock: number): Move | undefined {
  if (list === undefined) return undefined
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((list[middle]?.clock ?? 0) <= clock) low = middle + 1
    else high = middle
  }
  return list[low - 1]
}
