/** Settling: conflicts are decided, and what was refused is thrown away or sent again. */
import type { Conflict } from '@rejoin/client'
import { documentKey, RejoinError, type DocumentKey } from '@rejoin/core'
import type { OpenTab } from '../cluster.ts'
import type { AskField, Effect } from '../log.ts'
import { joinSides, type DocumentName } from '../schema.ts'
import type { Author } from './author.ts'
import { tokensIn } from './effects.ts'

/** By then a tab shows what it had when somebody looked. */
const toldMs = 50

export function settleConflict(author: Author, open: OpenTab): void {
  const conflicts = open.replica.conflicts.get() as readonly Conflict[]
  if (conflicts.length === 0) return
  const conflict = author.cluster.chance.pick(conflicts)
  const key = documentKey(conflict.collection, conflict.id)
  if (conflict.kind === 'deletion') {
    author.cluster.take('deletion-conflict')
    return settleDeletion(author, open, conflict, key)
  }
  author.cluster.take(conflict.settledBy === 'function' ? 'merged' : 'conflict')
  settleField(author, open, conflict, key)
  settleAsWell(author, open, conflict)
}

function settleDeletion(author: Author, open: OpenTab, conflict: Conflict, key: DocumentKey): void {
  const documents = open.replica[conflict.collection as DocumentName]
  const isKept = author.cluster.chance.chance(0.5)
  const effect: Effect = { field: 'document', how: isKept ? 'undelete' : 'delete' }
  const entry = author.enter(open, key, 'log', [effect], isKept)
  const handle = open.replica.transact(() => {
    open.replica.conflicts.resolve(conflict as never, { value: isKept ? 'keep' : 'delete' } as never)
    if (isKept) documents.update(conflict.id, { log: { add: [entry.token] } })
  })
  // It decides over what was shown; of what came since, its author knows nothing.
  entry.blind = true
  author.follow([entry], handle)
}

function settleField(
  author: Author,
  open: OpenTab,
  conflict: Extract<Conflict, { readonly kind: 'field' }>,
  key: DocumentKey,
): void {
  const { chance, take } = author.cluster
  const documents = open.replica[conflict.collection as DocumentName]
  const field = conflict.field as AskField
  const sides = conflict.sides.map(({ value }) => String(value))
  const how = chance.pick(
    field === 'title' ? (['pick', 'write', 'keep'] as const) : (['pick', 'write'] as const),
  )
  const at = chance.below(sides.length)
  const [value, resolution] = {
    pick: [sides[at] ?? '', { pick: at }],
    write: [`${field} ${author.next}`, { value: `${field} ${author.next}` }],
    keep: [joinSides(sides), { keep: 'all' }],
  }[how] as [string, object]
  const effects: Effect[] = [{ field, value, decides: [...sides].sort().join(' | ') }]
  const entry = author.enter(open, key, 'log', effects)
  const handle = open.replica.transact(() => {
    const { outcome } = open.replica.conflicts.resolve(conflict as never, resolution as never)
    documents.update(conflict.id, { log: { add: [entry.token] } })
    if (outcome === 'settled') return take('conflict-settled')
    // What settled it came in this very tick, at whose end the list is told.
    effects.length = 0
    open.tab.scope.after(toldMs, () => {
      if ((open.replica.conflicts.get() as readonly Conflict[]).includes(conflict))
        author.findings.push(`[K3] a conflict of ${key} that is shown is settled`)
    })
  })
  author.follow([entry], handle)
}

/** K4: somebody on another device decides the same conflict, which is shown there too. */
function settleAsWell(author: Author, { space, device }: OpenTab, conflict: Conflict): void {
  const { tabs, chance } = author.cluster
  for (const other of tabs) {
    if (other.space !== space || other.device === device || other.tab.scope.frozen) continue
    const listed = (other.replica.conflicts.get() as readonly Conflict[]).find(
      one => one.key === conflict.key,
    )
    if (listed?.kind !== 'field' || !chance.chance(0.3)) continue
    author.eyes.look(other)
    settleField(author, other, listed, documentKey(listed.collection, listed.id))
  }
}

export function settleQuarantine({ cluster, log, editors }: Author, open: OpenTab): void {
  const item = open.replica.quarantine.get()[0]
  if (item === undefined) return
  const tokens = new Set(item.writes.flatMap(({ values }) => tokensIn(values['log'])))
  const entries = log.filter(entry => tokens.has(entry.token))
  const isDiscarded = cluster.chance.chance(0.4)
  if (!isDiscarded) editors.typeAgain(item)
  const settled: Promise<unknown> = isDiscarded
    ? open.replica.quarantine.discard(item.id).then(() => {
        for (const entry of entries) entry.discarded = true
      })
    : open.replica.quarantine.sendAgain(item.id)
  for (const entry of entries) {
    entry.blind = true
    entry.discarded = true
  }
  settled.catch((error: unknown) => {
    if (!(error instanceof RejoinError)) throw error
  })
}
