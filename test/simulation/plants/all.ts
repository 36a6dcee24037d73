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

export function plantNamed(name: string | undefined): Plant {
  const plant = plants.find(one => one.name === name)
  if (plant === undefined) throw new Error(`there is no plant ${name}`)
  return plant
}
