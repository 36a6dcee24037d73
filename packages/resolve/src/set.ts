/**
 * `set`: elements come and go one by one. A removal takes away what its writer saw; an add that the remover had not
 * seen, and that is later than the one it saw, stays. Elements are told apart by their encoded bytes.
 */
import {
  isInSet,
  keyOfBytes,
  limits,
  type Cell,
  type Field,
  type FieldWrite,
  type SetCell,
  type SetElement,
} from '@rejoin/core'
import { encodeInput, memoize, requireSchema, showValue, tooLarge, unsupported } from './field-value.ts'
import type { StandardSchema } from './standard-schema.ts'

/** Adds and removes elements; or, as an array, says what the set shall be, which adds and removes the difference. */
export type SetPatch<Value> =
  | { readonly add?: readonly Value[] | undefined; readonly remove?: readonly Value[] | undefined }
  | readonly Value[]

/** A field that holds each element once, shown in the order of their encoded bytes. */
export function set<Input, Output>(
  schema: StandardSchema<Input, Output>,
  options: { readonly passive?: boolean } = {},
): Field<readonly Output[], readonly Input[] | undefined, SetPatch<Input>> {
  requireSchema(schema)
  const showElement = memoize((element: SetElement) => showValue<Output>(element.value))
  const show = memoize((cell: SetCell) => elementsInOrder(cell).map(showElement))
  const encodeAll = (inputs: readonly Input[]): ReadonlyMap<string, Uint8Array> => {
    if (!Array.isArray(inputs)) throw unsupported('', 'a set takes arrays of its elements')
    const values = Array.from(inputs, (input: Input) => encodeInput(schema, input))
    return new Map(values.map(value => [keyOfBytes(value), value]))
  }
  return {
    strategy: 'set',
    passive: options.passive ?? false,
    insert(input, write) {
      return writeElements(write, encodeAll(input ?? []), elementsOf(write.seen))
    },
    update(patch, write) {
      const seen = elementsOf(write.seen)
      if (!isList(patch)) {
        checkPatch(patch)
        const unwanted = encodeAll(patch.remove ?? [])
        const removed = [...seen].filter(([key]) => unwanted.has(key))
        return writeElements(write, encodeAll(patch.add ?? []), new Map(removed))
      }
      const wanted = encodeAll(patch)
      const standing = new Map([...seen].filter(([, element]) => isInSet(element)))
      const missing = [...wanted].filter(([key]) => !standing.has(key))
      const surplus = [...standing].filter(([key]) => !wanted.has(key))
      return writeElements(write, new Map(missing), new Map(surplus))
    },
    read: cell => (cell?.strategy === 'set' ? show(cell) : []),
  }
}

function isList<Value>(patch: SetPatch<Value>): patch is readonly Value[] {
  return Array.isArray(patch)
}

/** What is spelled wrong would write nothing, and say nothing of it. */
function checkPatch(patch: object | null): void {
  if (
    typeof patch !== 'object' ||
    patch === null ||
    Object.keys(patch).some(key => !/^(add|remove)$/.test(key))
  )
    throw unsupported('', 'a set is updated by an array, or by { add, remove } with arrays')
}

function elementsOf(cell: Cell | undefined): ReadonlyMap<string, SetElement> {
  return cell?.strategy === 'set' ? cell.elements : new Map<string, SetElement>()
}

/** Removes what was ever added, also if it is out already: the removal that we see may yet be refused. */
function writeElements(
  { mark, seen }: FieldWrite,
  added: ReadonlyMap<string, Uint8Array>,
  removed: ReadonlyMap<string, SetElement>,
): SetCell | null {
  const elements = new Map<string, SetElement>()
  for (const [key, { value, added: seenAdd }] of removed) {
    if (seenAdd !== null) elements.set(key, { value, added: null, removed: seenAdd })
  }
  for (const [key, value] of added) {
    elements.set(key, { value, added: mark, removed: elements.get(key)?.removed ?? null })
  }
  if (elements.size === 0) return null
  checkSize(elementsOf(seen), elements)
  return { strategy: 'set', elements, context: new Map([[mark.writer, mark]]) }
}

function checkSize(seen: ReadonlyMap<string, SetElement>, written: ReadonlyMap<string, SetElement>): void {
  let size = seen.size
  for (const key of written.keys()) if (!seen.has(key)) size++
  const limit = limits.setElementsMax
  if (size > limit) throw tooLarge('elements of a set, those that are out included', limit, size)
}

function elementsInOrder(cell: SetCell): readonly SetElement[] {
  return [...cell.elements]
    .filter(([, element]) => isInSet(element))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, element]) => element)
}
