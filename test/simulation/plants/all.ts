/** Every planted bug. */
import { asking } from './asking.ts'
import { cells } from './cells.ts'
import type { Plant } from './plant.ts'
import { pulling } from './pulling.ts'
import { relays } from './relays.ts'
import { remaking } from './remaking.ts'
import { trust } from './trust.ts'
import { writing } from './writing.ts'

export const plants: readonly Plant[] = [
  ...cells,
  ...writing,
  ...remaking,
  ...pulling,
  ...relays,
  ...trust,
  ...asking,
]

/** That one, or those of a rule. */
export function plantsOf(nameOrRule: string): readonly Plant[] {
  const named = plants.filter(({ name }) => name === nameOrRule)
  return named.length > 0 ? named : plants.filter(({ name }) => ruleOf(name) === nameOrRule)
}

/** The rule that a plant breaks, by its name. */
export function ruleOf(name: string): string {
  return name.split(' ')[0] ?? name
}

export function plantNamed(name: string | undefined): Plant {
  const plant = plants.find(one => one.name === name)
  if (plant === undefined) throw new Error(`there is no plant ${name}`)
  return plant
}
