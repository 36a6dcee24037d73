/** Worlds in which one kind of thing goes wrong often, so that a planted bug shows soon. */
import type { HistoryOptions } from '@rejoin/testkit'
import type { PlantWorld } from './plant.ts'

type Faults = NonNullable<HistoryOptions['faults']>

export const one = (steps: number, faults?: Faults): PlantWorld => ({ relays: 1, steps, faults })
export const peers = (steps: number, faults?: Faults): PlantWorld => ({ relays: 2, steps, faults })

export const calm: PlantWorld = one(40)
/** People write without knowing of each other. */
export const apart: PlantWorld = one(70, { cut: 0.2 })
export const refusing: PlantWorld = one(70, { refusal: 1, cut: 0.1 })
/** Tabs of one device write without knowing of each other, since its disk is slow, and its clock is wrong. */
export const besides: PlantWorld = {
  ...one(80, { skew: 0.3, refusal: 1, 'slow-disk': 0.2, 'storage-abort': 0.2 }),
  devices: 1,
}
export const attacked: PlantWorld = one(40, { hostile: 0.8 })
/** Relays lose what they had, while some are away. */
export const forgetful: PlantWorld = one(70, { 'relay-rollback': 0.15, cut: 0.15 })
/** Tabs die in the middle of what they store. */
export const dying: PlantWorld = one(60, { 'storage-crash': 0.3, 'tab-crash': 0.1, cut: 0.1 })

/** Relays and how they are linked, without what happens there. */
export type Place = Omit<PlantWorld, 'steps' | 'faults'>
