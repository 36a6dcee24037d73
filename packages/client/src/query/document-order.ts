/** The order of a query: by its fields, then by id, so that no two documents are equal in it. */
import { unsupported } from '../field-errors.ts'
import type { AnyDocument } from '../visible-documents.ts'
import { compareValues } from './value-order.ts'

export type CompareDocuments = (a: AnyDocument, b: AnyDocument) => number

/** What `orderBy` may be, without its types. */
export type AnyOrder = string | readonly (string | readonly [field: string, direction: 'asc' | 'desc'])[]

/** Throws `value-unsupported` for a field that there is not. */
export function compileOrder(
  orderBy: AnyOrder | undefined,
  descending: boolean,
  fields: ReadonlySet<string>,
): CompareDocuments {
  const list = typeof orderBy === 'string' ? [orderBy] : (orderBy ?? [])
  if (!Array.isArray(list)) throw unsupported('orderBy', form)
  const orders = list.map(compileOne)
  for (const { field } of orders)
    if (!fields.has(field)) throw unsupported(`orderBy.${field}`, 'the collection has no such field to read')
  const turn = descending ? -1 : 1
  return (a, b) => {
    for (const { field, sign } of orders) {
      const order = compareValues(a[field], b[field])
      if (order !== 0) return turn * sign * order
    }
    return turn * compareIds(a, b)
  }
}

const form = "it is a field, or a list of fields and of [field, 'asc' | 'desc']"

function compileOne(order: unknown): { readonly field: string; readonly sign: 1 | -1 } {
  const [field, direction = 'asc']: readonly unknown[] = Array.isArray(order) ? order : [order]
  if (typeof field !== 'string' || (direction !== 'asc' && direction !== 'desc'))
    throw unsupported('orderBy', form)
  return { field, sign: direction === 'desc' ? -1 : 1 }
}

export function compareIds(a: AnyDocument, b: AnyDocument): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}
