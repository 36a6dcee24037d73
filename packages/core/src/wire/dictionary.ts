/**
 * Dictionaries: numbers for names, so that a name is spoken once. A dictionary of a link has one direction, and only
 * grows until it is begun anew (link-frames.ts); a fresh one makes what it is used for self-contained. Names are
 * defined where they are first used, ahead of what uses them.
 *
 * Decoding never writes into a dictionary before the whole input was read: `Names` holds what is new until then.
 */
import { strategies } from '../cells/cell.ts'
import { assert, failure } from '../errors.ts'
import { isForbiddenKey } from '../forbidden-key.ts'
import { limits } from '../limits.ts'
import type { FeedPart } from '../relay-store.ts'
import { fieldOfPart, partName, strategyOfPart } from '../row.ts'
import { readWriterId, writeWriterId } from './ids.ts'
import { readByte, readCount, readString, readUint, type Reader } from './reader.ts'
import { refuse, refuseMalformed } from './refusal.ts'
import { writeByte, writeString, writeUint, type Writer } from './writer.ts'

/** A part of the rows of a collection; or of no part, the collection itself. */
export interface FieldName {
  readonly collection: string
  readonly part: FeedPart | ''
}

/** Opaque to callers: made by `createDictionary`, changed by encoding and decoding alone. */
export interface Dictionary {
  /** Writers, and with them the mints of ids, stores and generations: whatever is eight bytes. */
  writers: string[]
  fields: FieldName[]
  /** None while there are few, which are looked through: links are many, and most of them speak of little. */
  numberByWriter: Map<string, number> | null
  numberByField: Map<string, Map<string, number>> | null
  /** The milliseconds of the last mark that a batch spoke of, which the next one counts from. */
  ms: number
}

/** Names of a link's dictionary that a receiver keeps at most, writers and fields each. */
export const linkNamesMax = 4096

export function createDictionary(): Dictionary {
  return { writers: [], fields: [], numberByWriter: null, numberByField: null, ms: 0 }
}

/** Up to so many names, looking through them is faster than a map; most rows have no more. */
const fewNames = 8

// A dictionary costs more than a row does, so empty ones go around.
const idle: Dictionary[] = []
const idleMax = 4
const idleNamesMax = 256

/** An empty one for what stands by itself; to be given back when that is written. */
export function borrowDictionary(): Dictionary {
  return idle.pop() ?? createDictionary()
}

export function returnDictionary(dictionary: Dictionary): void {
  if (idle.length >= idleMax || dictionary.writers.length + dictionary.fields.length > idleNamesMax) return
  restoreDictionary(dictionary, { writers: 0, fields: 0, ms: 0 })
  idle.push(dictionary)
}

export function numberOfWriter(dictionary: Dictionary, writer: string): number {
  const { writers, numberByWriter } = dictionary
  const known = numberByWriter === null ? writers.indexOf(writer) : numberByWriter.get(writer)
  return known === undefined || known < 0 ? addWriter(dictionary, writer) : known
}

function addWriter(dictionary: Dictionary, writer: string): number {
  const { writers, numberByWriter } = dictionary
  const number = writers.push(writer) - 1
  if (numberByWriter !== null) numberByWriter.set(writer, number)
  else if (number === fewNames) dictionary.numberByWriter = new Map(writers.map((name, i) => [name, i]))
  return number
}

export function numberOfField(dictionary: Dictionary, collection: string, part: FeedPart | ''): number {
  const { fields, numberByField } = dictionary
  if (numberByField !== null) {
    const known = numberByField.get(collection)?.get(part)
    return known ?? addField(dictionary, { collection, part })
  }
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]
    if (field?.part === part && field.collection === collection) return i
  }
  return addField(dictionary, { collection, part })
}

function addField(dictionary: Dictionary, field: FieldName): number {
  const { fields, numberByField } = dictionary
  const number = fields.push(field) - 1
  if (numberByField !== null) indexField(numberByField, field, number)
  else if (number === fewNames) {
    const index = (dictionary.numberByField = new Map<string, Map<string, number>>())
    fields.forEach((name, i) => void indexField(index, name, i))
  }
  return number
}

function indexField(
  numberByField: Map<string, Map<string, number>>,
  { collection, part }: FieldName,
  number: number,
): void {
  let byPart = numberByField.get(collection)
  if (byPart === undefined) numberByField.set(collection, (byPart = new Map()))
  byPart.set(part, number)
}

/** How full a dictionary is, to see what a frame added to it. */
export interface DictionaryState {
  readonly writers: number
  readonly fields: number
  readonly ms: number
}

export function stateOfDictionary(dictionary: Dictionary): DictionaryState {
  return { writers: dictionary.writers.length, fields: dictionary.fields.length, ms: dictionary.ms }
}

/** Takes back what was added since, for a frame that is not sent after all. */
export function restoreDictionary(dictionary: Dictionary, state: DictionaryState): void {
  const { writers, fields } = dictionary
  if (state.writers <= fewNames) dictionary.numberByWriter = null
  if (state.fields <= fewNames) dictionary.numberByField = null
  for (let i = state.writers; i < writers.length; i++) dictionary.numberByWriter?.delete(writers[i] ?? '')
  for (let i = state.fields; i < fields.length; i++) {
    const field = fields[i]
    if (field !== undefined) dictionary.numberByField?.get(field.collection)?.delete(field.part)
  }
  writers.length = state.writers
  fields.length = state.fields
  dictionary.ms = state.ms
}

/** Defines what was added since. */
export function writeDefinitions(
  writer: Writer,
  dictionary: Dictionary,
  since: Pick<DictionaryState, 'writers' | 'fields'>,
): void {
  const { writers, fields } = dictionary
  writeUint(writer, writers.length - since.writers)
  for (let i = since.writers; i < writers.length; i++) writeWriterId(writer, writers[i] ?? '')
  writeUint(writer, fields.length - since.fields)
  let before = ''
  for (let i = since.fields; i < fields.length; i++) {
    const field = fields[i]
    assert(field !== undefined, 'a dictionary has no holes')
    writeField(writer, field, before)
    before = field.collection
  }
}

/**
 * Of a link: how many names went before, and, where none did, the time that all others of this dictionary are counted
 * from. A receiver that knows another number of them is out of step, and finds that out here.
 */
export function writeLinkDefinitions(
  writer: Writer,
  dictionary: Dictionary,
  known: { readonly writers: number; readonly fields: number },
): void {
  writeUint(writer, known.writers)
  writeUint(writer, known.fields)
  if (known.writers + known.fields === 0) writeUint(writer, dictionary.ms)
  writeDefinitions(writer, dictionary, known)
}

/** The names to decode with: those of the link and what is defined now; or these alone, where it begins anew. */
export function readLinkDefinitions(reader: Reader, link: Dictionary): Names {
  const writers = readUint(reader)
  const fields = readUint(reader)
  const begins = writers + fields === 0
  if (!begins && (writers !== link.writers.length || fields !== link.fields.length))
    refuseMalformed('names are defined after others than are known')
  const names = createNames(begins ? { ...createDictionary(), ms: readUint(reader) } : link)
  readDefinitions(reader, names)
  return names
}

/** Makes known to a link what a frame defined, once all of it was read. */
export function commitLinkNames(names: Names, link: Dictionary): void {
  const { ms } = names.dictionary
  if (names.dictionary !== link) restoreDictionary(link, { writers: 0, fields: 0, ms })
  commitNames({ ...names, dictionary: link, ms })
}

/** A dictionary while something is decoded, and what its definitions add. */
export interface Names {
  readonly dictionary: Dictionary
  readonly writers: string[]
  readonly fields: FieldName[]
  ms: number
  /** Where all of them are defined, if what is read with them may stay encoded (packed-cells.ts); else null. */
  readonly defined: Span | null
}

/** A part of some bytes. */
export interface Span {
  readonly from: number
  readonly to: number
}

export function createNames(dictionary: Dictionary): Names {
  return { dictionary, writers: [], fields: [], ms: dictionary.ms, defined: null }
}

/** The names of what stands by itself, which are defined ahead of it, and what is not decoded before it is asked for. */
export function readOwnNames(reader: Reader): Names {
  const names = createNames(createDictionary())
  const from = reader.at
  readDefinitions(reader, names)
  return { ...names, defined: { from, to: reader.at } }
}

export function readDefinitions(reader: Reader, names: Names): void {
  for (let left = readCount(reader, 'writers', limits.frameBytesMax, 8); left > 0; left--)
    names.writers.push(readWriterId(reader))
  let before = ''
  for (let left = readCount(reader, 'names', limits.frameBytesMax, 2); left > 0; left--) {
    const field = readField(reader, before)
    names.fields.push(field)
    before = field.collection
  }
}

/** Makes what was defined known, once everything was read. */
export function commitNames(names: Names): void {
  const { dictionary } = names
  for (const writer of names.writers) addWriter(dictionary, writer)
  for (const field of names.fields) addField(dictionary, field)
  dictionary.ms = names.ms
  if (names.writers.length + names.fields.length > 0) fitDictionary(dictionary)
}

/** An array that grew by itself has room for seventeen, and most links never speak of so many. */
export function fitDictionary(dictionary: Dictionary): void {
  if (dictionary.numberByWriter === null) dictionary.writers = [...dictionary.writers]
  if (dictionary.numberByField === null) dictionary.fields = [...dictionary.fields]
}

export function writerAt(names: Names, number: number): string {
  const { writers } = names.dictionary
  const writer = number < writers.length ? writers[number] : names.writers[number - writers.length]
  return writer ?? refuseMalformed('a writer was not defined')
}

export function fieldAt(names: Names, number: number): FieldName {
  const { fields } = names.dictionary
  const field = number < fields.length ? fields[number] : names.fields[number - fields.length]
  return field ?? refuseMalformed('a name was not defined')
}

// A kind is a strategy's number, or one of these.
const deletionKind = strategies.length
const revivalKind = strategies.length + 1
const collectionKind = strategies.length + 2

/** The collection is left out if it is that of the name before. */
function writeField(writer: Writer, { collection, part }: FieldName, before: string): void {
  writeString(writer, collection === before ? '' : collection)
  if (part === 'deletion') return writeByte(writer, deletionKind)
  if (part === 'revival') return writeByte(writer, revivalKind)
  if (part === '') return writeByte(writer, collectionKind)
  writeByte(writer, strategies.indexOf(strategyOfPart(part)))
  writeString(writer, fieldOfPart(part))
}

function readField(reader: Reader, before: string): FieldName {
  const collection = readName(reader) || before
  if (collection.includes('/')) refuseMalformed('the name of a collection has a slash')
  const kind = readByte(reader)
  if (kind > collectionKind) refuseMalformed('a field has an unknown strategy')
  return fieldNamed(collection, kind, kind < strategies.length ? readName(reader) : '')
}

// Names are few, and links, spaces and stored rows many: all of them share the objects and texts that say one.
let fieldsByCollection = new Map<string, Map<string, FieldName>[]>()
let fieldsShared = 0
/** Who comes with ever new names makes the others forget what they share, and nothing more. */
const fieldsSharedMax = 1024

function fieldNamed(collection: string, kind: number, name: string): FieldName {
  const found = fieldsByCollection.get(collection)?.[kind]?.get(name)
  if (found !== undefined) return found
  if (fieldsShared >= fieldsSharedMax) {
    fieldsByCollection = new Map()
    fieldsShared = 0
  }
  fieldsShared += 1
  let kinds = fieldsByCollection.get(collection)
  if (kinds === undefined)
    fieldsByCollection.set(collection, (kinds = Array.from({ length: collectionKind + 1 }, () => new Map())))
  const field = { collection, part: partOf(kind, name) }
  kinds[kind]?.set(name, field)
  return field
}

function partOf(kind: number, name: string): FieldName['part'] {
  if (kind === deletionKind) return 'deletion'
  if (kind === revivalKind) return 'revival'
  return kind === collectionKind ? '' : partName(strategies[kind] ?? 'lww', name)
}

function readName(reader: Reader): string {
  const name = readString(reader, 'bytes of a name', limits.nameBytesMax)
  if (isForbiddenKey(name)) refuse(failure('key-forbidden', { key: name }))
  return name
}
