/**
 * What became of own writes, as journals tell it: which were in a quarantine, and how often each was made anew (SPEC W6).
 * Writes are known by what people wrote, since their marks change.
 */
import {
  isSameMark,
  partName,
  type Chunk,
  type DocumentKey,
  type Transaction,
  type TransactionId,
  type Write,
} from '@rejoin/core'
import { loneDeletion } from '../log.ts'
import { textOf } from '../oracle.ts'

export interface Remakes {
  /** Notes what a device stored for a space. */
  stored(space: string, chunk: Chunk): void
  /** In how many passes, of all devices. */
  timesMadeAnew(space: string, key: DocumentKey, name: string): number
  /** Whether a write was in a quarantine once, be the disk put back since. */
  wasRefused(name: string): boolean
}

export function createRemakes(): Remakes {
  const ownById = new Map<TransactionId, Transaction>()
  const times = new Map<string, number>()
  const refused = new Set<string>()

  function refuse(id: TransactionId): void {
    const writes = ownById.get(id)?.writes ?? []
    for (const names of namesByKeyOf(writes).values()) for (const name of names) refused.add(name)
  }

  return {
    stored(space, chunk) {
      if (chunk.kind === 'own') for (const one of chunk.transactions) ownById.set(one.id, one)
      if (chunk.kind === 'verdicts')
        for (const { id, outcome } of chunk.verdicts) if (outcome.kind === 'refused') refuse(id)
      if (chunk.kind !== 'remade') return
      for (const { id } of chunk.quarantined) refuse(id)
      const made = new Set<string>()
      for (const { to } of chunk.transactions) {
        ownById.set(to.id, to)
        for (const [key, names] of namesByKeyOf(to.writes))
          for (const name of names) made.add(placeOf(space, key, name))
      }
      for (const place of made) times.set(place, (times.get(place) ?? 0) + 1)
    },
    timesMadeAnew: (space, key, name) => times.get(placeOf(space, key, name)) ?? 0,
    wasRefused: name => refused.has(name),
  }
}

function placeOf(space: string, key: DocumentKey, name: string): string {
  return `${space} ${key} ${name}`
}

/** Of each document what a transaction wrote; what has no name is as one that takes a token out of a text. */
function namesByKeyOf(writes: readonly Write[]): ReadonlyMap<DocumentKey, readonly string[]> {
  const namesByKey = new Map<DocumentKey, string[]>()
  for (const write of writes)
    namesByKey.set(write.key, [...(namesByKey.get(write.key) ?? []), ...namesIn(write)])
  for (const { key, delta } of writes)
    if (namesByKey.get(key)?.length === 0)
      namesByKey.set(key, [delta.deletion === null ? nameless : loneDeletion])
  return namesByKey
}

const nameless = ''

function namesIn({ delta, mark, texts }: Write): readonly string[] {
  const log = delta.cells.get(partName('set', 'log'))
  const seen = delta.cells.get(partName('lww', 'seen'))
  const added = log?.strategy === 'set' ? [...log.elements.values()] : []
  return [
    ...added.filter(one => isSameMark(one.added, mark)).map(({ value }) => textOf(value)),
    ...(seen?.strategy === 'lww' ? [textOf(seen.value)] : []),
    ...[...texts.values()].flat().flatMap(update => new TextDecoder().decode(update).match(/<\d+>/g) ?? []),
  ]
}
