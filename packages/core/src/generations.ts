/**
 * Generations, frontier and reach: what a replica has seen, said by positions in the feeds of the few relays.
 *
 * A generation is one opening of a relay's store; it continues its parent up to `start`, as PostgreSQL's
 * timelines do. (g, p) implies (g', p') when g' is g or an ancestor of g and p' is not after the fork. These
 * facts never change, so a table of them only grows, and two tables join by union. What comes from outside may be no
 * such table: a fact that contradicts a known one is not believed, and no walk is longer than `limits.lineageMax`.
 */
import { limits } from './limits.ts'

/** Eight random bytes, in the form of a writer: names a relay's store. */
export type StoreId = string & { readonly brand: 'StoreId' }
/** Eight random bytes, in the form of a writer. */
export type GenerationId = string & { readonly brand: 'GenerationId' }

export interface Generation {
  readonly id: GenerationId
  readonly store: StoreId
  readonly parent: GenerationId | null
  /** The position of its parent's feed at which it began. */
  readonly start: number
}

export type GenerationTable = ReadonlyMap<GenerationId, Generation>

/**
 * Positions by generation, at most one of each branch of a store. As a frontier: the cuts up to which a replica
 * holds everything of those feeds. As a reach: a relay whose frontier covers it holds all that the replica holds.
 */
export type Positions = ReadonlyMap<GenerationId, number>

/** A place in a feed: the last cut that was reached, and how far the pull has come since (SPEC P2). */
export interface Cursor {
  readonly generation: GenerationId
  readonly cut: number
  readonly place: number
}

export const noPositions: Positions = new Map()

/** The greatest position of `ancestor` that (generation, position) implies, or -1. */
export function impliedPosition(
  table: GenerationTable,
  generation: GenerationId,
  position: number,
  ancestor: GenerationId,
): number {
  let limit = position
  let at: GenerationId = generation
  for (let steps = 0; at !== ancestor; steps++) {
    const fact = table.get(at)
    if (fact === undefined || fact.parent === null || steps === limits.lineageMax) return -1
    if (fact.start < limit) limit = fact.start
    at = fact.parent
  }
  return limit
}

/** Whether a frontier holds everything up to (generation, position). What is not known is not covered. */
export function coversPosition(
  table: GenerationTable,
  frontier: Positions,
  generation: GenerationId,
  position: number,
): boolean {
  if (position === 0) return true
  for (const [held, at] of frontier) {
    if (impliedPosition(table, held, at, generation) >= position) return true
  }
  return false
}

/** How much of the feed that ends at (generation, position) a frontier holds: up to where it left its lineage. */
export function heldPosition(
  table: GenerationTable,
  frontier: Positions,
  generation: GenerationId,
  position: number,
): number {
  let most = 0
  for (const { id } of lineageOf(table, generation)) {
    const limit = impliedPosition(table, generation, position, id)
    for (const [held, at] of frontier) {
      const here = impliedPosition(table, held, at, id)
      if (here > most) most = Math.max(most, Math.min(here, limit))
    }
  }
  return most
}

/** Whether a frontier covers a reach: every entry of it. */
export function coversPositions(table: GenerationTable, frontier: Positions, reach: Positions): boolean {
  for (const [generation, position] of reach) {
    if (!coversPosition(table, frontier, generation, position)) return false
  }
  return true
}

/** Adds a position, dropping those that it implies. Returns `positions` itself if it was covered. */
export function addPosition(
  table: GenerationTable,
  positions: Positions,
  generation: GenerationId,
  position: number,
): Positions {
  if (coversPosition(table, positions, generation, position)) return positions
  const added = new Map<GenerationId, number>()
  for (const [held, at] of positions) {
    if (impliedPosition(table, generation, position, held) < at) added.set(held, at)
  }
  return added.set(generation, position)
}

export function joinPositions(table: GenerationTable, a: Positions, b: Positions): Positions {
  let joined = a
  for (const [generation, position] of b) joined = addPosition(table, joined, generation, position)
  return joined
}

/** The chain of a generation, newest first and not beyond the bound: what is called the lineage of its store. */
export function lineageOf(table: GenerationTable, generation: GenerationId): readonly Generation[] {
  const lineage: Generation[] = []
  for (let fact = table.get(generation); fact !== undefined && lineage.length < limits.lineageMax; ) {
    lineage.push(fact)
    fact = fact.parent === null ? undefined : table.get(fact.parent)
  }
  return lineage
}

/** Adds facts to a table and gives back those that are new. One that contradicts a known fact is not believed. */
export function learnGenerations(
  table: Map<GenerationId, Generation>,
  facts: readonly Generation[],
): readonly Generation[] {
  return facts.filter(fact => {
    if (table.has(fact.id)) return false
    // A generation cannot descend from one that began in it.
    if (fact.parent !== null && impliedPosition(table, fact.parent, 0, fact.id) >= 0) return false
    table.set(fact.id, fact)
    return true
  })
}
