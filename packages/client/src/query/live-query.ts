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
import { allOf, compileWhere } from './condition.ts'
import { compareIds, compileOrder, type AnyOrder } from './document-order.ts'
import { replaceSorted } from './sorted-documents.ts'

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
  checkOptions(options)
  const { where, orderBy, descending = false, limit = Infinity } = options
  const conditions = compileWhere(where, fields)
  const { equal, others } = conditions
  /** For what comes and goes, which is looked at while somebody is subscribed. */
  let matches: typeof others = null
  const isById = orderBy === undefined && !descending
  const compare = isById ? compareIds : compileOrder(orderBy, descending, fields)
  /** Whether it shows the collection as that is kept up anyway. */
  const isWhole = isById && equal === null && others === null
  let isOpen = false
  /** All that match, in order, while somebody is subscribed; of a whole collection nothing of its own. */
  let kept: AnyDocument[] = []
  /** Rises with everything that comes to what is kept or goes from it; and what it was when that was read last. */
  let version = 0
  let readAt = -1

  /** A list of its own. */
  function findAll(): AnyDocument[] {
    const all = equal === null ? documents.all() : documents.having(equal.field, equal.value)
    const found = others === null ? all.slice() : all.filter(others)
    return isById ? found : found.sort(compare)
  }

  function findFirst(): AnyDocument[] {
    const found = findAll()
    return found.length > limit ? found.slice(0, limit) : found
  }

  function work(changes: readonly DocumentChange[]): void {
    if (isWhole) return void (version += changes.length)
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
      if (isOpen && previous !== undefined && version === readAt) return previous
      const isRead = readAt >= 0
      readAt = isOpen ? version : -1
      const found = isOpen ? (isWhole ? documents.all() : kept).slice(0, limit) : findFirst()
      // What is kept up and shown whole is another list with every document that comes or goes.
      const isOther = isOpen && isRead && limit === Infinity
      return !isOther && previous !== undefined && isSameList(previous, found)
        ? previous
        : Object.freeze(found)
    },
    open() {
      matches = allOf(conditions)
      if (!isWhole) kept = findAll()
      isOpen = true
      const stop = documents.onChange(work)
      return () => {
        stop()
        isOpen = false
        kept = []
        readAt = -1
      }
    },
  })
}

function isSameList(a: readonly AnyDocument[], b: readonly AnyDocument[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

const names: ReadonlySet<string> = new Set(['where', 'orderBy', 'descending', 'limit'])

/** What is spelled wrong would be another question, which has an answer too. */
function checkOptions(options: AnyQueryOptions): void {
  if (typeof options !== 'object' || options === null)
    throw unsupported('query', 'its options are an object, such as { where, orderBy }')
  const unknown = Object.keys(options).find(name => !names.has(name))
  if (unknown !== undefined) throw unsupported(unknown, 'a query has no such option')
  const { limit } = options
  if (limit === undefined || (Number.isSafeInteger(limit) && limit >= 0)) return
  throw unsupported('limit', 'a limit is a whole number, 0 or more')
}
