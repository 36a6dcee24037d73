/** What is being applied changes, gathered until it is handed to those who listen. */
import { GatheredKeys } from '../key-set.ts'
import type { WriterId } from '../mark.ts'
import type { Transaction } from '../write.ts'
import type { AppliedChunk } from './applied.ts'

export interface Changes {
  readonly changed: GatheredKeys
  readonly writers: Map<WriterId, WriterId>
  readonly rebuilt: Set<string>
  readonly arrived: Map<string, Uint8Array[]>
  readonly overtaken: Transaction[]
}

export function noChanges(): Changes {
  return {
    changed: new GatheredKeys(),
    writers: new Map(),
    rebuilt: new Set(),
    arrived: new Map(),
    overtaken: [],
  }
}

/** What nothing was put into is used again: what comes of most writes and chunks is rows. */
export function renewed({ writers, rebuilt, arrived, overtaken }: Changes): Changes {
  return {
    changed: new GatheredKeys(),
    writers: writers.size === 0 ? writers : new Map(),
    rebuilt: rebuilt.size === 0 ? rebuilt : new Set(),
    arrived: arrived.size === 0 ? arrived : new Map(),
    overtaken: overtaken.length === 0 ? overtaken : [],
  }
}

/** For good: nothing is put into it any more. */
export function handedOver({ changed, writers, rebuilt, arrived, overtaken }: Changes): AppliedChunk {
  return {
    changed,
    writers: writers.size === 0 ? nothingCame.writers : writers,
    rebuilt: rebuilt.size === 0 ? nothingCame.rebuilt : rebuilt,
    arrived: arrived.size === 0 ? nothingCame.arrived : arrived,
    overtaken: overtaken.length === 0 ? nothingCame.overtaken : overtaken,
  }
}

const nothingCame: AppliedChunk = noChanges()

export function noteArrivals({ arrived }: Changes, body: string, updates: readonly Uint8Array[]): void {
  const before = arrived.get(body)
  if (before === undefined) arrived.set(body, [...updates])
  else for (const update of updates) before.push(update)
}
