/** From a row to the document that its readers see. */
import { readField, readTogether, rowExists, type OpenDocument, type Row } from '@rejoin/core'
import type { Collection } from './collection.ts'
import { freezeValue, isSameValue } from './shown-value.ts'
import type { AnyDocument } from './visible-documents.ts'

/**
 * The row of a document as its readers see it, or undefined if it does not exist; `previous` itself if that shows the same.
 * `areAll`: whether the whole collection is read.
 */
export function readDocument(
  collection: Collection,
  id: string,
  row: Row | undefined,
  previous?: AnyDocument,
  areAll: boolean = false,
): AnyDocument | undefined {
  if (row === undefined || !rowExists(row)) return undefined
  const together = readTogether(row, collection.parts, areAll, freezeValue)
  // With an id it was asked for before, and is somebody's.
  const isGiven = together !== null && together.id !== ''
  if (isGiven && together.id === id && previous === undefined) return together
  const document = isGiven ? { ...together } : (together ?? readAlone(collection, row))
  document.id = id
  return previous === undefined ? Object.freeze(document) : keepSame(document, previous)
}

function readAlone({ parts }: Collection, row: Row): OpenDocument {
  const document: OpenDocument = { id: '' }
  // By number, since iterating makes an object a step, for each field of thousands of documents.
  for (let i = 0; i < parts.length; i++) {
    const declared = parts[i]
    if (declared === undefined || declared.field.strategy === 'text') continue
    const value = readField(row, declared.part, declared.field)
    if (typeof value === 'object') freezeValue(value)
    document[declared.name] = value
  }
  return document
}

/** The document as it was, if it shows the same; else of each field that does, what it showed. */
function keepSame(document: OpenDocument, previous: AnyDocument): AnyDocument {
  let same = true
  for (const name of Object.keys(document)) {
    if (isSameValue(previous[name], document[name])) document[name] = previous[name]
    else same = false
  }
  return same ? previous : Object.freeze(document)
}
