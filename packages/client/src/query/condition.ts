/** Conditions of a query, made ready: a function that says of a document whether it matches. */
import { unsupported } from '../field-errors.ts'
import { isSameValue, timeOf } from '../shown-value.ts'
import type { AnyDocument } from '../visible-documents.ts'
import { compareValues, isComparable } from './value-order.ts'

type Test = (value: unknown) => boolean
type Matches = (document: AnyDocument) => boolean

/**
 * Null if every document matches; of the conditions, one field's may be left out. Throws `value-unsupported` for an
 * operator that there is not, so that a typing error is no empty list.
 */
export function compileWhere(
  where: Readonly<Record<string, unknown>> | undefined,
  except?: string,
): Matches | null {
  const tests: Matches[] = []
  for (const [field, condition] of Object.entries(where ?? {})) {
    if (condition === undefined || field === except) continue
    const test = compileCondition(field, condition)
    tests.push(document => test(document[field]))
  }
  const [only] = tests
  if (only === undefined) return null
  return tests.length === 1 ? only : document => tests.every(test => test(document))
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
