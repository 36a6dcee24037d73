/** Conditions of a query, made ready: what to look up, and a function that says of a document whether it meets the rest. */
import { unsupported } from '../field-errors.ts'
import { isSameValue, timeOf } from '../shown-value.ts'
import type { AnyDocument } from '../visible-documents.ts'
import { isIndexed } from './value-index.ts'
import { compareValues, isComparable } from './value-order.ts'

type Test = (value: unknown) => boolean
type Matches = (document: AnyDocument) => boolean

export interface Conditions {
  /** The first that says what a field must equal, if it is a value by which documents are looked up. */
  readonly equal: { readonly field: string; readonly value: unknown } | null
  /** Whether a document meets the others; null if there are none. */
  readonly others: Matches | null
}

/** Throws `value-unsupported` for an operator or a field that there is not, so that a typing error is no empty list. */
export function compileWhere(
  where: Readonly<Record<string, unknown>> | undefined,
  fields: ReadonlySet<string>,
): Conditions {
  let equal: Conditions['equal'] = null
  let others: Matches | null = null
  for (const field of Object.keys(where ?? {})) {
    if (!fields.has(field)) throw unsupported(`where.${field}`, 'the collection has no such field to read')
    const condition = where?.[field]
    if (condition === undefined) continue
    if (equal === null && isIndexed(condition)) equal = { field, value: condition }
    else others = both(others, field, compileCondition(field, condition))
  }
  return { equal, others }
}

/** Whether a document meets all of them; null if every one does. */
export function allOf({ equal, others }: Conditions): Matches | null {
  return equal === null ? others : both(others, equal.field, value => isSameValue(value, equal.value))
}

function both(before: Matches | null, field: string, test: Test): Matches {
  return document => (before === null || before(document)) && test(document[field])
}

function compileCondition(field: string, condition: unknown): Test {
  if (!isOperators(condition)) return value => isSameValue(value, condition)
  const tests = Object.entries(condition)
    .filter(([, operand]) => operand !== undefined)
    .map(([name, operand]) => {
      const compile = operators.get(name)
      if (compile === undefined) throw unsupported(`where.${field}.${name}`, 'there is no such operator')
      return compile(operand)
    })
  return value => tests.every(test => test(value))
}

function isOperators(condition: unknown): condition is object {
  const isObject = typeof condition === 'object' && condition !== null
  return isObject && !Array.isArray(condition) && !ArrayBuffer.isView(condition) && timeOf(condition) === null
}

const operators: ReadonlyMap<string, (operand: unknown) => Test> = new Map<
  string,
  (operand: unknown) => Test
>([
  ['equals', operand => value => isSameValue(value, operand)],
  ['not', operand => value => !isSameValue(value, operand)],
  ['gt', operand => value => isComparable(value, operand) && compareValues(value, operand) > 0],
  ['gte', operand => value => isComparable(value, operand) && compareValues(value, operand) >= 0],
  ['lt', operand => value => isComparable(value, operand) && compareValues(value, operand) < 0],
  ['lte', operand => value => isComparable(value, operand) && compareValues(value, operand) <= 0],
  ['in', operand => value => elementsOf(operand).some(one => isSameValue(value, one))],
  ['contains', operand => value => contains(value, operand)],
  ['search', operand => searchFor(String(operand))],
])

function contains(value: unknown, part: unknown): boolean {
  if (typeof value === 'string') return typeof part === 'string' && value.includes(part)
  return elementsOf(value).some(element => isSameValue(element, part))
}

function searchFor(part: string): Test {
  const wanted = part.toLowerCase()
  const finds = (value: unknown): boolean => typeof value === 'string' && value.toLowerCase().includes(wanted)
  return value => finds(value) || elementsOf(value).some(finds)
}

function elementsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
