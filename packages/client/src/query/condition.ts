/** Conditions of a query, made ready: what to look up, and a function that says of a document whether it meets the rest. */
import { decodeValue, encodeValue } from '@rejoin/core'
import { unsupported } from '../field-errors.ts'
import { isSameValue } from '../shown-value.ts'
import type { AnyDocument } from '../visible-documents.ts'
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
  if (where !== undefined && where !== null && !isRecord(where))
    throw unsupported('where', 'it is an object of conditions by field')
  for (const field of Object.keys(where ?? {})) {
    if (!fields.has(field)) throw unsupported(`where.${field}`, 'the collection has no such field to read')
    const condition = where?.[field]
    if (condition === undefined) continue
    // Documents are looked up by what is no object.
    const isKey = typeof condition !== 'object' || condition === null
    if (equal === null && isKey) equal = { field, value: copyOperand(field, condition) }
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
  if (!isRecord(condition)) return equals(copyOperand(field, condition))
  const tests = Object.entries(condition)
    .filter(([, operand]) => operand !== undefined)
    .map(([name, operand]) => {
      const place = `${field}.${name}`
      const compile = operators.get(name)
      if (compile === undefined) throw unsupported(`where.${place}`, 'there is no such operator')
      return compile(name === 'in' ? copyList(place, operand) : copyOperand(place, operand), place)
    })
  return value => tests.every(test => test(value))
}

/** Of conditions or operators; what is no plain object is a value, or nothing that can be asked for. */
function isRecord(condition: unknown): condition is object {
  return Object.prototype.toString.call(condition) === '[object Object]'
}

/** As it was when it was asked: what is changed later would ask something else of what comes than of what goes. */
function copyOperand(place: string, operand: unknown): unknown {
  if (typeof operand === 'function' || typeof operand === 'symbol')
    throw unsupported(`where.${place}`, `a ${typeof operand} is no value`)
  if (typeof operand !== 'object' || operand === null) return operand
  const copied = decodeValue(encodeValue(operand))
  return copied.ok ? copied.value : undefined
}

function copyList(place: string, operand: unknown): readonly unknown[] {
  if (!Array.isArray(operand)) throw unsupported(`where.${place}`, 'it takes a list of values')
  return operand.map(one => copyOperand(place, one))
}

function equals(operand: unknown): Test {
  return value => isSameValue(value, operand)
}

const operators: ReadonlyMap<string, (operand: unknown, place: string) => Test> = new Map<
  string,
  (operand: unknown, place: string) => Test
>([
  ['equals', equals],
  ['not', operand => value => !isSameValue(value, operand)],
  ['gt', operand => value => isComparable(value, operand) && compareValues(value, operand) > 0],
  ['gte', operand => value => isComparable(value, operand) && compareValues(value, operand) >= 0],
  ['lt', operand => value => isComparable(value, operand) && compareValues(value, operand) < 0],
  ['lte', operand => value => isComparable(value, operand) && compareValues(value, operand) <= 0],
  ['in', operand => value => elementsOf(operand).some(one => isSameValue(value, one))],
  ['contains', operand => value => contains(value, operand)],
  ['search', searchFor],
])

function contains(value: unknown, part: unknown): boolean {
  if (typeof value === 'string') return typeof part === 'string' && value.includes(part)
  return elementsOf(value).some(element => isSameValue(element, part))
}

function searchFor(part: unknown, place: string): Test {
  if (typeof part !== 'string') throw unsupported(`where.${place}`, 'it takes a part of a text')
  const wanted = part.toLowerCase()
  const finds = (value: unknown): boolean => typeof value === 'string' && value.toLowerCase().includes(wanted)
  return value => finds(value) || elementsOf(value).some(finds)
}

function elementsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
