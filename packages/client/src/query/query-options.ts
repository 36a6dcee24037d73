/**
 * What a query asks for. Conditions of several fields must all hold, and so must all operators of one field.
 */

export interface Operators<Value> {
  readonly equals?: Value | undefined
  readonly not?: Value | undefined
  readonly gt?: Value | undefined
  readonly gte?: Value | undefined
  readonly lt?: Value | undefined
  readonly lte?: Value | undefined
  /** Any of these values. */
  readonly in?: readonly Value[] | undefined
  /** A list or set has this element; a string has this part, letter case and all. */
  readonly contains?: (Value extends Iterable<infer Element> ? Element : never) | undefined
  /** A string, or some string of a list, has this part, whatever the letter case. */
  readonly search?: string | undefined
}

type Primitive = string | number | boolean | bigint | null | undefined

/** A primitive stands for `{ equals }`; what is an object must be wrapped, since it could be taken for operators. */
export type Condition<Value> = Extract<Value, Exclude<Primitive, undefined>> | Operators<Value>

export type Where<Document> = { readonly [K in keyof Document]?: Condition<Document[K]> | undefined }

export type Direction = 'asc' | 'desc'
type FieldName<Document> = keyof Document & string
export type Order<Document> =
  | FieldName<Document>
  | readonly [field: FieldName<Document>, direction: Direction]

export interface QueryOptions<Document> {
  readonly where?: Where<Document> | undefined
  /** One field, or several of falling weight. What is equal in all of them stands in the order of ids. */
  readonly orderBy?: FieldName<Document> | readonly Order<Document>[] | undefined
  /** Turns the whole order around, ids included. */
  readonly descending?: boolean | undefined
  /** At most so many documents, from the beginning of the order. */
  readonly limit?: number | undefined
}
