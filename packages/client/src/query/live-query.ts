/**
 * A live query: the documents of a collection that match, in order, as far as its limit.
 *
 * While somebody is subscribed, what matches is kept sorted and each change is worked in; the list is a new one only
 * if what it shows changed. Without subscribers nothing is kept up: the next `get` reads the collection again.
 */
import type { Changes } from '../changes.ts'
import { unsupported } from '../field-errors.ts'
import { createLive, type Live } from '../live.ts'
import type { AnyDocument, DocumentChange, VisibleDocuments } from '../visible-documents.ts'
import { compileWhere } from './condition.ts'
import { compileOrder, type AnyOrder } from './document-order.ts'
import { createSortedDocuments, type SortedDocuments } from './sorted-documents.ts'
import { isIndexed } from './value-index.ts'

export type LiveQuery<Document> = Live<readonly Document[]>

/** The options of a query without their types. */
export interface AnyQueryOptions {
  readonly where?: Readonly<Record<string, unknown>> | undefined
  readonly orderBy?: AnyOrder | undefined
  readonly descending?: boolean | undefined
  readonly limit?: number | undefined
}

/** Throws `value-unsupported` for an operator, a field or a limit that there is not. */
export function createLiveQuery(
  documents: VisibleDocuments,
  changes: Changes,
  fields: ReadonlySet<string>,
  options: AnyQueryOptions,
): LiveQuery<AnyDocument> {
  checkFields(options, fields)
  const matches = compileWhere(options.where)
  const compare = compileOrder(options.orderBy, options.descending ?? false)
  const limit = options.limit ?? Infinity
  let kept: SortedDocuments | null = null
  /** The version of what is kept that was read last. */
  let readAt = -1

  const equal = findEqual(options.where)

  const sortAll = (): SortedDocuments => {
    if (options.where === undefined) return createSortedDocuments(documents.all(), compare)
    const all = equal === undefined ? documents.all() : documents.having(equal.field, equal.value)
    return createSortedDocuments(Array.from(all).filter(matches), compare)
  }

  return createLive<readonly AnyDocument[]>(changes, {
    read(previous) {
      if (kept !== null && previous !== undefined && kept.version === readAt) return previous
      const isRead = readAt >= 0
      readAt = kept?.version ?? -1
      const found = (kept ?? sortAll()).first(limit)
      // What is kept up and shown whole is another list with every document that comes or goes.
      const isOther = kept !== null && isRead && limit === Infinity
      return !isOther && previous !== undefined && isSameList(previous, found)
        ? previous
        : Object.freeze(found)
    },
    open() {
      kept = sortAll()
      const stop = documents.onChange(found => work(kept, found, matches))
      return () => {
        stop()
        kept = null
        readAt = -1
      }
    },
  })
}

/** The first condition that says what a field must equal, if it is a value by which documents are looked up. */
function findEqual(where: AnyQueryOptions['where']): { field: string; value: unknown } | undefined {
  for (const [field, value] of Object.entries(where ?? {}))
    if (value !== undefined && isIndexed(value)) return { field, value }
  return undefined
}

function work(
  kept: SortedDocuments | null,
  changes: readonly DocumentChange[],
  matches: (document: AnyDocument) => boolean,
): void {
  const removed: AnyDocument[] = []
  const added: AnyDocument[] = []
  for (const { before, after } of changes) {
    if (before !== undefined && matches(before)) removed.push(before)
    if (after !== undefined && matches(after)) added.push(after)
  }
  kept?.replace(removed, added)
}

function isSameList(a: readonly AnyDocument[], b: readonly AnyDocument[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function checkFields({ where, orderBy, limit }: AnyQueryOptions, fields: ReadonlySet<string>): void {
  const orders = typeof orderBy === 'string' ? [orderBy] : (orderBy ?? [])
  for (const field of Object.keys(where ?? {})) {
    if (!fields.has(field)) throw unsupported(`where.${field}`, 'the collection has no such field to read')
  }
  for (const order of orders) {
    const field = typeof order === 'string' ? order : order[0]
    if (!fields.has(field)) throw unsupported(`orderBy.${field}`, 'the collection has no such field to read')
  }
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 0)) {
    throw unsupported('limit', 'a limit is a whole number, 0 or more')
  }
}
