/** How the contract of relay stores is told: each claim gets a disk of its own, which outlives the stores that are opened over it. */
import type { RelayStore } from '@rejoin/core'
import { withPlainMaps } from './plain-maps.ts'
import type { ContractRunner } from './storage.ts'

/** A place for a store, empty at first. */
export interface RelayDisk {
  /** Opens the store; the one before was closed. */
  readonly open: () => Promise<RelayStore>
  /** Takes the place away. */
  readonly remove: () => Promise<void>
}

export interface Claiming {
  readonly claim: (text: string, run: (store: RelayStore, disk: RelayDisk) => Promise<void>) => void
  readonly equal: ContractRunner['equal']
}

/** `name` goes in front of each claim. */
export function createClaiming(
  name: string,
  createDisk: () => Promise<RelayDisk>,
  { test, equal }: ContractRunner,
): Claiming {
  return {
    equal: (actual, expected) => equal(withPlainMaps(actual), withPlainMaps(expected)),
    claim: (text, run) =>
      void test(`${name}: ${text}`, async () => {
        const disk = await createDisk()
        const store = await disk.open()
        try {
          await run(store, disk)
        } finally {
          await store.close()
          await disk.remove()
        }
      }),
  }
}
