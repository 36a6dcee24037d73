/**
 * What looks into a body. Bodies are alike, so one of a field that only another version of the application declares is
 * looked into by what any declared text brings along: a tab of that version may be open beside this one, which then has
 * to make anew what is typed there (SPEC W6).
 */
import { collectionOfKey, type DocumentKey, type PartName, type TextSupport } from '@rejoin/core'
import type { Collections } from './collection.ts'

/** Undefined where the application declares no text. */
export function createTextSupports(
  collections: Collections,
): (key: DocumentKey, part: PartName) => TextSupport | undefined {
  const supports = new Map<string, TextSupport>()
  for (const { name, parts } of Object.values(collections)) {
    for (const { part, field } of parts)
      if (field.text !== undefined) supports.set(`${name}/${part}`, field.text)
  }
  const [any] = supports.values()
  return (key, part) => supports.get(`${collectionOfKey(key)}/${part}`) ?? any
}
