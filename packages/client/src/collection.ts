/**
 * Collections: a name, and for each field the strategy by which concurrent writes to it are settled.
 *
 * A declaration is a value without a replica; what an application may write and read follows from it as types.
 * Names are checked here, once, so that no later code meets one that could not travel or would reach a prototype.
 */
import {
  deletePolicies,
  limits,
  partName,
  RejoinError,
  type Cell,
  type DeletePolicy,
  type Field,
  type FieldConflict,
  type FieldWrite,
  type PartName,
  type Strategy,
  type TextSupport,
} from '@rejoin/core'

/**
 * Any field, whatever it holds: `Field` with its inputs closed, so that fields of different types fit into one record
 * without losing what is checked. Who writes through it knows that the input is the field's.
 */
export interface AnyField {
  readonly strategy: Strategy
  readonly passive: boolean
  insert(input: never, write: FieldWrite): Cell | null
  readonly insertPacked?: Field<unknown, never, never>['insertPacked']
  update(patch: never, write: FieldWrite): Cell | null
  read(cell: Cell | undefined): unknown
  readonly readEncoded?: Field<unknown, never, never>['readEncoded']
  readonly conflict?: ((cell: Cell | undefined) => FieldConflict<unknown> | null) | undefined
  readonly settle?: ((resolution: never, write: FieldWrite) => Cell) | undefined
  readonly text?: TextSupport | undefined
}

export type Fields = Readonly<Record<string, AnyField>>

/** A declared collection. Made by `collection`. */
export interface Collection<Name extends string = string, F extends Fields = Fields> {
  readonly name: Name
  readonly fields: F
  /** Who wins when a document was deleted and, unseen, edited. */
  readonly onDelete: DeletePolicy
  /** Each field's name and part in the order of declaration: what a row of the core calls it. */
  readonly parts: readonly DeclaredPart[]
  /** The same in the order of their parts, in which cells travel and are counted: what is written so is never sorted. */
  readonly partsInOrder: readonly DeclaredPart[]
}

export interface DeclaredPart {
  readonly name: string
  readonly part: PartName
  readonly field: AnyField
}

/** The collections of a replica, by the property under which the application finds them. */
export type Collections = Readonly<Record<string, Collection>>

export interface CollectionOptions {
  /** `edit-wins` unless stated. `ask` keeps the document too, and lists a conflict until somebody decides. */
  readonly onDelete?: DeletePolicy | undefined
}

type ReadOf<F> = F extends { read(cell: Cell | undefined): infer Read } ? Read : never
type InsertInput<F> = F extends Field<infer _Read, infer Insert, infer _Patch> ? Insert : never
type PatchInput<F> = F extends Field<infer _Read, infer _Insert, infer Patch> ? Patch : never

type IsText<F> = F extends { readonly strategy: 'text' } | { readonly text: TextSupport }
  ? true
  : [ReadOf<F>] extends [undefined | null]
    ? true
    : false

/** The names of the fields whose bodies are texts. */
export type TextFieldOf<F extends Fields> = {
  [K in keyof F & string]: IsText<F[K]> extends true ? K : never
}[keyof F & string]

type ValueFieldOf<F extends Fields> = Exclude<keyof F & string, TextFieldOf<F>>

type OptionalFieldOf<F extends Fields> = {
  [K in keyof F & string]: undefined extends InsertInput<F[K]> ? K : never
}[keyof F & string]

type Flat<T> = { [K in keyof T]: T[K] }

/** What `insert` takes: every field, but that those which may be left out are optional. */
export type InsertOf<F extends Fields> = Flat<
  { readonly [K in Exclude<keyof F & string, OptionalFieldOf<F>>]: InsertInput<F[K]> } & {
    readonly [K in OptionalFieldOf<F>]?: InsertInput<F[K]> | undefined
  }
>

/** What `update` takes: any of the fields but texts. A field that is undefined stays as it is. */
export type PatchOf<F extends Fields> = { readonly [K in ValueFieldOf<F>]?: PatchInput<F[K]> | undefined }

/** What readers see: `id` and every field but texts. Immutable, and the same reference while nothing in it changed. */
export type DocumentOf<F extends Fields> = Flat<
  { readonly id: string } & { readonly [K in ValueFieldOf<F>]: ReadOf<F[K]> }
>

/** The Y.Text of a text field, if its strategy says so in its type; else unknown. */
export type TextOf<F> = F extends { readonly text: { open(...input: never): { readonly text: infer Text } } }
  ? Text
  : unknown

/** The Y.Doc of a text field, if its strategy says so in its type; else unknown. */
export type TextDocumentOf<F> = F extends {
  readonly text: { open(...input: never): { readonly document: infer Document } }
}
  ? Document
  : unknown

const collectionName = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/
/** Control characters, and halves of surrogate pairs, which have no form in UTF-8. */
const unspeakable = /[\p{Cc}\p{Surrogate}]/u
/** What every object answers to by birth (`toString`, `__proto__`, ...) would be read where an input says nothing of it. */
const isForbiddenName = (name: string): boolean =>
  name === 'prototype' || name === 'id' || name in Object.prototype

/**
 * Declares a collection. Throws `key-forbidden` for a name that cannot be used, `limit-exceeded` for a name that is
 * too long or for too many fields, and a TypeError for a field that is no strategy and a policy that there is not.
 */
export function collection<const Name extends string, F extends Fields>(
  name: Name,
  fields: F,
  options: CollectionOptions = {},
): Collection<Name, F> {
  if (typeof name !== 'string' || !collectionName.test(name) || isForbiddenName(name)) {
    throw forbidden(name, 'a collection is named by a letter and up to 63 letters, digits, _ or -')
  }
  if (typeof fields !== 'object' || fields === null)
    throw new TypeError(`the collection ${name} needs an object of its fields`)
  const { onDelete = 'edit-wins' } = options
  // It is stored with each deletion, where nobody could read another one.
  if (!deletePolicies.includes(onDelete))
    throw new TypeError(`onDelete of ${name} is one of ${deletePolicies.join(', ')}, not ${String(onDelete)}`)
  const parts = Object.entries(fields).map(([field, declared]) => {
    checkFieldName(name, field)
    if (typeof declared?.insert !== 'function')
      throw new TypeError(`the field ${field} of ${name} needs a strategy, such as lww(schema)`)
    return { name: field, part: partName(declared.strategy, field), field: declared }
  })
  if (parts.length > limits.fieldsPerRowMax) {
    throw exceeded(`fields of the collection ${name}`, limits.fieldsPerRowMax, parts.length)
  }
  const partsInOrder = [...parts].sort((a, b) => (a.part < b.part ? -1 : 1))
  return { name, fields, onDelete, parts, partsInOrder }
}

/** Throws a TypeError for what was not declared by `collection`, and `key-forbidden` if two have one name. */
export function checkCollections(collections: Collections): void {
  if (typeof collections !== 'object' || collections === null)
    throw new TypeError('collections is an object of collections, such as { notes }')
  const names = new Set<string>()
  for (const [property, declared] of Object.entries<Collection | undefined>(collections)) {
    if (!Array.isArray(declared?.parts)) throw new TypeError(`${property} was not declared by collection()`)
    const { name } = declared
    if (names.has(name)) throw forbidden(name, 'two collections have this name')
    names.add(name)
  }
}

function checkFieldName(collection: string, field: string): void {
  if (field === '' || isForbiddenName(field) || unspeakable.test(field)) {
    throw forbidden(field, `no field of the collection ${collection} can have this name`)
  }
  const bytes = new TextEncoder().encode(field).length
  if (bytes > limits.nameBytesMax) throw exceeded(`bytes of the name ${field}`, limits.nameBytesMax, bytes)
}

function forbidden(key: string, reason: string): RejoinError<'key-forbidden'> {
  return new RejoinError('key-forbidden', { key: String(key) }, `'${String(key)}' cannot be used: ${reason}`)
}

function exceeded(what: string, limit: number, actual: number): RejoinError<'limit-exceeded'> {
  return new RejoinError('limit-exceeded', { what, limit, actual }, `${what}: ${actual}, at most ${limit}`)
}
