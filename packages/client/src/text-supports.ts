/** Which field of the declared collections looks into a body. */
import { collectionOfKey, type DocumentKey, type PartName, type TextSupport } from '@rejoin/core'
import type { Collections } from './collection.ts'

/** Undefined for a field that the application does not declare as a text. */
export function createTextSupports(
  collections: Collections,
): (key: DocumentKey, part: PartName) => TextSupport | undefined {
  const supports = new Map<string, TextSupport>()
  for (const { name, parts } of Object.values(collections)) {
    for (const { part, field } of parts)
      if (field.text !== undefined) supports.set(`${name}/${part}`, field.text)
  }
  return (key, part) => supports.get(`${collectionOfKey(key)}/${part}`)
}
