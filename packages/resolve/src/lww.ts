/** `lww`: the last writer wins. For values that nobody minds losing to a later one: a color, a position, a state. */
import { isSameBytes, packValue, type Field } from '@rejoin/core'
import {
  defaultOf,
  encodeAbsent,
  encodeInput,
  showRemembered,
  showValue,
  validateValue,
} from './field-value.ts'
import type { StandardSchema } from './standard-schema.ts'

/** A field whose greatest write stands. It may be left out of an insert if its schema accepts undefined. */
export function lww<Input, Output>(
  schema: StandardSchema<Input, Output>,
  options: { readonly passive?: boolean } = {},
): Field<Output, Input, Input> {
  const show = showRemembered<Output>()
  const nothing = defaultOf(schema)
  return {
    strategy: 'lww',
    passive: options.passive ?? false,
    insert(input, { mark, seen }) {
      const bytes =
        input === undefined ? encodeAbsent(schema, seen !== undefined) : encodeInput(schema, input)
      return bytes === null ? null : { strategy: 'lww', last: mark, value: bytes }
    },
    insertPacked(input) {
      const value = validateValue(schema, input)
      return input === undefined && value === undefined ? null : packValue(value)
    },
    update(patch, { mark, seen }) {
      const bytes = encodeInput(schema, patch)
      if (seen?.strategy === 'lww' && isSameBytes(seen.value, bytes)) return null
      return { strategy: 'lww', last: mark, value: bytes }
    },
    read: cell => (cell?.strategy === 'lww' ? show(cell.value) : nothing),
    readEncoded: showValue,
  }
}
