/** Conflicts as each tab lists them: a side goes by a write that had seen it, and by no other (SPEC K1). */
import { documentKey, type DocumentKey } from '@rejoin/core'
import type { Conflict } from '@rejoin/client'
import type { Author } from '../application/author.ts'
import { isToBlame } from '../application/effects.ts'
import type { OpenTab } from '../cluster.ts'
import type { AskField, Logged } from '../log.ts'
import { documentNames } from '../schema.ts'

interface Listed {
  readonly key: DocumentKey
  readonly field: AskField
  readonly sides: ReadonlySet<string>
}

/** Looks at what a tab lists now, and compares it with what it listed last. */
export type WatchConflicts = (open: OpenTab, known: (key: DocumentKey) => ReadonlySet<string>) => void

export function watchConflicts({ cluster, space, log, findings }: Author): WatchConflicts {
  const { remakes } = cluster
  const last = new WeakMap<OpenTab, ReadonlyMap<string, Listed>>()
  /** The same list lists the same. */
  const looked = new WeakMap<OpenTab, readonly Conflict[]>()

  function mayGo({ key, field }: Listed, value: string, shown: ReadonlySet<string>): boolean {
    const writes = log.filter(
      entry => entry.key === key && entry.effects.some(effect => effect.field === field),
    )
    const authors = writes.filter(({ effects }) =>
      effects.some(effect => effect.field === field && effect.value === value),
    )
    // What was refused is taken back, and an insert over a deletion had seen all of it.
    const isTakenBack = (entry: Logged): boolean =>
      entry.refused !== null || entry.discarded || isToBlame(entry) || remakes.wasRefused(entry.token)
    if (authors.some(isTakenBack)) return true
    if (log.some(entry => entry.key === key && entry.blind)) return true
    // S3: so is what stands on what a relay lost and did not take back.
    if (cluster.mayNotComeBack(space, key)) return true
    return authors.some(author =>
      writes.some(
        other =>
          other !== author &&
          shown.has(other.token) &&
          (other.saw.has(author.token) || isDecidedAlike(other, author, field)),
      ),
    )
  }

  return (open, known) => {
    const conflicts = open.replica.conflicts.get() as readonly Conflict[]
    if (looked.get(open) === conflicts) return
    looked.set(open, conflicts)
    const now = new Map<string, Listed>()
    for (const conflict of conflicts) {
      if (conflict.kind !== 'field') continue
      const key = documentKey(conflict.collection, conflict.id)
      const field = conflict.field as AskField
      now.set(`${key} ${field}`, {
        key,
        field,
        sides: new Set(conflict.sides.map(({ value }) => String(value))),
      })
    }
    for (const [name, listed] of last.get(open) ?? []) {
      const standing = now.get(name)?.sides ?? shownIn(open, listed)
      if (standing === null) continue
      for (const side of listed.sides)
        if (!standing.has(side) && !mayGo(listed, side, known(listed.key)))
          findings.push(
            `[K1] a tab of ${open.device.name} lists ${side} of ${listed.key} no more, and nobody who replaced it had seen it`,
          )
    }
    last.set(open, now)
  }
}

/** The one value that there is now, or null if there is no document. */
function shownIn({ replica }: OpenTab, { key, field }: Listed): ReadonlySet<string> | null {
  const [name = '', id = ''] = key.split('/')
  const collection = documentNames.find(one => one === name)
  const document = collection === undefined ? undefined : replica[collection].get(id)
  return document === undefined ? null : new Set([String(document[field])])
}

/** K4: of several decisions of one conflict the greatest counts. */
function isDecidedAlike(a: Logged, b: Logged, field: AskField): boolean {
  const decides = ({ effects }: Logged): string | null =>
    effects.flatMap(effect => (effect.field === field ? [effect.decides] : []))[0] ?? null
  return decides(a) !== null && decides(a) === decides(b)
}
