/** Pairs: two documents, or both and a third, that are written by one transaction (SPEC W2). */
import { documentKey } from '@rejoin/core'
import type { OpenTab } from '../cluster.ts'
import type { Effect, Logged } from '../log.ts'
import { documentNames, pairIds } from '../schema.ts'
import type { Author } from './author.ts'
import { documentIds } from './documents.ts'

/** Both halves of a pair, or both and a document: seen together or not at all. */
export function writePair(author: Author, open: OpenTab): void {
  const { enter, eyes, findings, follow } = author
  const { chance } = author.cluster
  const { pairs } = open.replica
  const value = `pair ${author.next}`
  const entries: Logged[] = []
  const handle = open.replica.transact(() => {
    for (const id of pairIds) {
      const entry = enter(open, documentKey('pairs', id), 'log', [])
      entries.push(entry)
      if (pairs.get(id) === undefined) pairs.insert({ value, log: [entry.token] }, { id })
      else pairs.update(id, { value, log: { add: [entry.token] } })
    }
    const name = chance.pick(documentNames)
    const id = chance.pick(documentIds)
    if (open.replica[name].get(id) === undefined || chance.chance(0.5)) return
    const effect: Effect = { field: 'title', value: `title of ${value}`, decides: null }
    const entry = enter(open, documentKey(name, id), 'log', [effect])
    entries.push(entry)
    open.replica[name].update(id, { title: effect.value, log: { add: [entry.token] } })
  })
  follow(entries, handle)
  for (const id of pairIds)
    if (pairs.get(id)?.value !== value) findings.push(`[W1] ${value} does not show at once in pairs/${id}`)
  eyes.look(open)
}
