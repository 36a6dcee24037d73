/** Documents: inserted, changed, deleted and brought back, by writes of which each bears its token. */
import { documentKey, RejoinError } from '@rejoin/core'
import type { OpenTab } from '../cluster.ts'
import type { AskField, Effect, Logged } from '../log.ts'
import type { DocumentName } from '../schema.ts'
import type { Author } from './author.ts'
import { forbidden, isDeletion } from './effects.ts'

export interface Documents {
  insert(open: OpenTab, name: DocumentName, id: string, color?: string): Logged
  update(open: OpenTab, name: DocumentName, id: string, color?: string): Logged
  /** Writes the passive field alone. */
  glance(open: OpenTab, name: DocumentName, id: string): void
  /** In a transaction with its token, so that it is known what became of it; or alone, as most applications delete. */
  remove(open: OpenTab, name: DocumentName, id: string): Logged
  /** Null where there is nothing to bring back. */
  bringBack(open: OpenTab, name: DocumentName, id: string): Logged | null
}

export const askFields: readonly AskField[] = ['title', 'place', 'mood']
export const documentIds = ['a', 'b', 'c', 'd'] as const

export function createDocuments(author: Author): Documents {
  const { log, enter, follow } = author
  const { chance } = author.cluster

  return {
    insert(open, name, id, color = `color ${author.next}`) {
      const key = documentKey(name, id)
      const { next } = author
      const tag = chance.pick(documentIds)
      const { isNarrow } = open
      const effects: Effect[] = [
        { field: 'document', how: 'insert' },
        ...askFields.map(field => ({ field, value: `${field} ${next}`, decides: null })),
        { field: 'color', value: color },
      ]
      if (!isNarrow) effects.push({ field: 'tags', element: tag, how: 'add' }, { field: 'views', amount: 1 })
      const wasDeleted = log.some(entry => entry.key === key && entry.effects.some(isDeletion))
      const entry = enter(open, key, 'log', effects)
      entry.blind = wasDeleted
      const wide = isNarrow ? {} : { tags: [tag], views: 1 }
      const body = chance.chance(0.5) ? { body: `begun ${next}. ` } : {}
      const asked = Object.fromEntries(askFields.map(field => [field, `${field} ${next}`]))
      const input = { ...asked, color, log: [entry.token], ...wide, ...body }
      follow([entry], open.replica[name].insert(input as never, { id }))
      return entry
    },
    update(open, name, id, only) {
      const { next } = author
      const tag = chance.pick(documentIds)
      const color = only ?? (chance.chance(0.1) ? `${forbidden} ${next}` : `color ${next}`)
      const amount = chance.chance(0.3) ? -2 : 3
      const choices: (readonly [Effect, object])[] = [[{ field: 'color', value: color }, { color }]]
      if (only === undefined)
        for (const field of askFields) {
          const value = `${field} ${next}`
          choices.push([{ field, value, decides: null }, { [field]: value }])
        }
      if (only === undefined && !open.isNarrow) {
        choices.push(
          [{ field: 'tags', element: tag, how: 'add' }, { tags: { add: [tag] } }],
          [{ field: 'tags', element: tag, how: 'remove' }, { tags: { remove: [tag] } }],
          [{ field: 'views', amount }, { views: { increment: amount } }],
        )
      }
      const [effect, patch] = chance.pick(choices)
      const entry = enter(open, documentKey(name, id), 'log', [effect])
      follow([entry], open.replica[name].update(id, { ...patch, log: { add: [entry.token] } } as never))
      return entry
    },
    glance(open, name, id) {
      const value = `seen ${author.next}`
      const entry = enter(open, documentKey(name, id), 'passive', [{ field: 'seen', value }], false)
      follow([entry], open.replica[name].update(id, { seen: value }))
      if (open.replica[name].get(id)?.seen !== value)
        author.findings.push(`[W1] ${value} of ${entry.key} does not show at once`)
    },
    remove(open, name, id) {
      const documents = open.replica[name]
      const isAlone = chance.chance(0.3)
      const effect: Effect = { field: 'document', how: 'delete' }
      const entry = enter(open, documentKey(name, id), 'log', [effect], !isAlone)
      const handle = isAlone
        ? documents.delete(id)
        : open.replica.transact(() => {
            documents.update(id, { log: { add: [entry.token] } })
            documents.delete(id)
          })
      follow([entry], handle)
      return entry
    },
    bringBack(open, name, id) {
      const documents = open.replica[name]
      let entry: Logged | null = null
      try {
        const handle = open.replica.transact(() => {
          documents.undelete(id)
          entry = enter(open, documentKey(name, id), 'log', [{ field: 'document', how: 'undelete' }])
          documents.update(id, { log: { add: [entry.token] } })
        })
        if (entry !== null) follow([entry], handle)
      } catch (error) {
        if (entry !== null) author.withdraw(entry)
        if (!(error instanceof RejoinError)) throw error
        entry = null
      }
      return entry
    },
  }
}
