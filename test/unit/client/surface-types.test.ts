// What the compiler infers from a declaration, and what it refuses. The claims are checked by the type checker; the
// runner only sees that the file loads.
import type { Cell, Field, FieldWrite, TextDocument, TextSupport } from '@rejoin/core'
import {
  collection,
  type Conflict,
  type DocumentOf,
  type InsertOf,
  type PatchOf,
  type Surface,
  type TextHandle,
} from '@rejoin/client'
import { expectTypeOf, test } from 'vitest'

interface TypedDocument extends TextDocument {
  readonly text: { readonly yText: true }
  readonly document: { readonly yDoc: true }
}
interface TypedSupport extends TextSupport {
  open(body: readonly Uint8Array[], client: number): TypedDocument
}
interface TypedText extends Field<undefined, string | undefined, never> {
  readonly strategy: 'text'
  readonly text: TypedSupport
}

declare const title: Field<string, string, string> & { readonly strategy: 'ask' }
declare const color: Field<string, string | undefined, string> & { readonly strategy: 'lww' }
declare const tags: Field<
  readonly string[],
  readonly string[] | undefined,
  { readonly add: readonly string[] }
> & {
  readonly strategy: 'set'
}
declare const body: TypedText

const declare = () => collection('notes', { title, color, tags, body })
type Notes = ReturnType<typeof declare>
type F = Notes['fields']
declare const surface: Surface<{ readonly notes: Notes }>

test('types of inserts, patches and documents follow from the declaration', () => {
  expectTypeOf<InsertOf<F>>().toEqualTypeOf<{
    readonly title: string
    readonly color?: string | undefined
    readonly tags?: readonly string[] | undefined
    readonly body?: string | undefined
  }>()
  expectTypeOf<PatchOf<F>>().toEqualTypeOf<{
    readonly title?: string | undefined
    readonly color?: string | undefined
    readonly tags?: { readonly add: readonly string[] } | undefined
  }>()
  expectTypeOf<DocumentOf<F>>().toEqualTypeOf<{
    readonly id: string
    readonly title: string
    readonly color: string
    readonly tags: readonly string[]
  }>()
})

test('the compiler refuses what a declaration does not allow', () => {
  const uses = (): void => {
    // @ts-expect-error a field without a strategy
    collection('notes', { title: 'string' })
    // @ts-expect-error a required field is missing
    surface.collections.notes.insert({ color: 'teal' })
    // @ts-expect-error a field that is not declared
    surface.collections.notes.update('a', { colour: 'teal' })
    // @ts-expect-error a value of the wrong type
    surface.collections.notes.update('a', { color: 5 })
    // @ts-expect-error a text is not patched
    surface.collections.notes.update('a', { body: 'x' })
    // @ts-expect-error a wrong value in a condition
    surface.collections.notes.query({ where: { color: 5 } })
    // @ts-expect-error a field that is no text
    surface.collections.notes.text('a', 'title')
    // @ts-expect-error an asynchronous callback
    surface.transact(async tx => tx.notes.get('a'))
    surface.collections.notes.query({
      where: { color: 'teal', tags: { contains: 'a' } },
      orderBy: [['title', 'desc'], 'id'],
    })
  }
  expectTypeOf(uses).toBeFunction()
})

test('a callback gives a transaction its value, and a text field its types', () => {
  const uses = () => ({
    value: surface.transact(tx => tx.notes.insert({ title: 'a' }).id).value,
    nothing: surface.transact(tx => void tx.notes.insert({ title: 'a' })).value,
    text: surface.collections.notes.text('a', 'body'),
  })
  expectTypeOf(uses).returns.toEqualTypeOf<{
    value: string
    nothing: undefined
    text: TextHandle<{ readonly yText: true }, { readonly yDoc: true }>
  }>()
})

test('a conflict is typed by its field, and so is what resolves it', () => {
  const uses = (conflict: Conflict<{ readonly notes: Notes }>): void => {
    if (conflict.kind === 'field') {
      expectTypeOf(conflict.field).toEqualTypeOf<'title'>()
      surface.conflicts.resolve(conflict, { value: 'x' })
      // @ts-expect-error a value of the wrong type
      surface.conflicts.resolve(conflict, { value: 5 })
    } else {
      surface.conflicts.resolve(conflict, { value: 'keep' })
      // @ts-expect-error not one of the two
      surface.conflicts.resolve(conflict, { value: 'maybe' })
    }
    surface.conflicts.resolve(conflict, { pick: 1 })
  }
  expectTypeOf(uses).toBeFunction()
  expectTypeOf<ReturnType<Field<string, string, string>['insert']>>().toEqualTypeOf<Cell | null>()
  expectTypeOf<FieldWrite>().toHaveProperty('mark')
})
