/**
 * Planted bugs: each breaks one rule of SPEC.md at one place of the product's source, to prove that the simulator can
 * see it. A plant names the text that it replaces, which must stand exactly once; so a plant that no longer fits says
 * so instead of proving nothing.
 */
import type { HistoryOptions } from '@rejoin/testkit'

export interface Plant {
  /** The rule that it breaks, and a word where there are several. */
  readonly name: string
  /** What the broken product does. */
  readonly does: string
  readonly find: string
  readonly replace: string
  /** Where the rule is kept at two places, the other one; or what makes its occasion frequent. */
  readonly also?: Pick<Plant, 'find' | 'replace'>
  /** Where it shows soonest. */
  readonly world: PlantWorld
  /** The seed that caught it last: the first that is tried. */
  readonly seed: number
}

export type PlantWorld = Omit<HistoryOptions, 'seed'>

/** What is replaced. */
export function editsOf(plant: Plant): readonly Pick<Plant, 'find' | 'replace'>[] {
  return plant.also === undefined ? [plant] : [plant, plant.also]
}
