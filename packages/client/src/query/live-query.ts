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
import { compareIds, compileOrder, type AnyOrder } from './document-order.ts'
import { replaceSorted } from './sorted-documents.ts'
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
  const { where, orderBy, descending = false, limit = Infinity } = options
  const equal = findEqual(where)
  const matchesRest = compileWhere(where, equal?.field)
  /** Of all conditions: for what comes and goes, which is looked at while somebody is subscribed. */
  let matches: typeof matchesRest = null
  const isById = orderBy === undefined && !descending
  const compare = isById ? compareIds : compileOrder(orderBy, descending)
  /** All that match, in order, while somebody is subscribed. */
  let kept: AnyDocument[] | null = null
  /** Rises with everything that comes to what is kept or goes from it; and what it was when that was read last. */
  let version = 0
  let readAt = -1

  /** A list of its own. */
  function findAll(): AnyDocument[] {
    const all = equal === undefined ? documents.all() : documents.having(equal.field, equal.value)
    const found = matchesRest === null ? all.slice() : all.filter(matchesRest)
    return isById ? found : found.sort(compare)
  }

  function findFirst(): AnyDocument[] {
    const found = findAll()
    return found.length > limit ? found.slice(0, limit) : found
  }

  function work(changes: readonly DocumentChange[]): void {
    if (kept === null) return
    const removed: AnyDocument[] = []
    const added: AnyDocument[] = []
    for (const { before, after } of changes) {
      if (before !== undefined && (matches === null || matches(before))) removed.push(before)
      if (after !== undefined && (matches === null || matches(after))) added.push(after)
    }
    version += removed.length + added.length
    kept = replaceSorted(kept, removed, added, compare)
  }

  return createLive<readonly AnyDocument[]>(changes, {
    read(previous) {
      if (kept !== null && previous !== undefined && version === readAt) return previous
      const isRead = readAt >= 0
      readAt = kept === null ? -1 : version
      const found = kept === null ? findFirst() : kept.slice(0, limit)
      // What is kept up and shown whole is another list with every document that comes or goes.
      const isOther = kept !== null && isRead && limit === Infinity
      return !isOther && previous !== undefined && isSameList(previous, found)
        ? previous
        : Object.freeze(found)
    },
    open() {
      matches = compileWhere(where)
      kept = findAll()
      const stop = documents.onChange(work)
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
