/** `merge`: an `ask` field that a function settles (SPEC K5). Nothing is written until somebody writes the field. */
import type { Field } from '@rejoin/core'
import { ask, type AskOptions, type MergeValues } from './ask.ts'
import type { StandardSchema } from './standard-schema.ts'

/** A field whose conflicts show as what `merge` makes of them; the list of conflicts says that it was the function. */
export function merge<Input, Output>(
  schema: StandardSchema<Input, Output>,
  merge: MergeValues<Output>,
  options: Omit<AskOptions<Output>, 'merge'> = {},
): Field<Output, Input, Input> {
  return ask(schema, { ...options, merge })
}
