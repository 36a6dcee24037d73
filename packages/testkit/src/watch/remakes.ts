/**
 * What became of own writes, as journals tell it: which were in a quarantine, and which were made anew in one pass, in
 * which order (SPEC W6). Writes are known by what people wrote, since their marks change.
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

/** What one pass made anew of a document. */
export interface Pass {
  /** When it was stored, in simulated milliseconds. */
  readonly at: number
  /** In the order of the outbox. */
  readonly names: readonly string[]
}

export interface Remakes {
  /** Notes what a device stored for a space. */
  stored(space: string, chunk: Chunk, at: number): void
  /** In the order in which they were made. */
  passesOf(space: string, key: DocumentKey): readonly Pass[]
  /** Whether a write was in a quarantine once, be the disk put back since. */
  wasRefused(name: string): boolean
}

export function createRemakes(): Remakes {
  const ownById = new Map<TransactionId, Transaction>()
  const passes = new Map<string, Pass[]>()
  const refused = new Set<string>()

  function refuse(id: TransactionId): void {
    const writes = ownById.get(id)?.writes ?? []
    for (const names of namesByKeyOf(writes).values()) for (const name of names) refused.add(name)
  }

  return {
    stored(space, chunk, at) {
      if (chunk.kind === 'own') for (const one of chunk.transactions) ownById.set(one.id, one)
      if (chunk.kind === 'verdicts')
        for (const { id, outcome } of chunk.verdicts) if (outcome.kind === 'refused') refuse(id)
      if (chunk.kind !== 'remade') return
      for (const { id } of chunk.quarantined) refuse(id)
      const namesByKey = new Map<DocumentKey, string[]>()
      for (const { to } of chunk.transactions) {
        ownById.set(to.id, to)
        for (const [key, names] of namesByKeyOf(to.writes))
          namesByKey.set(key, [...(namesByKey.get(key) ?? []), ...names])
      }
      for (const [key, names] of namesByKey) {
        const place = `${space} ${key}`
        passes.set(place, [...(passes.get(place) ?? []), { at, names }])
      }
    },
    passesOf: (space, key) => passes.get(`${space} ${key}`) ?? [],
    wasRefused: name => refused.has(name),
  }
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
