/**
 * Rows looked up by their keys. A day offline touches thousands of them, and to run a statement for each takes several
 * times what it finds: so all of a collection are looked up by one.
 */
import { collectionOfKey, idOfKey, type DocumentKey } from '@rejoin/core'
import { bytesOf, keyOf } from './columns.ts'
import type { Statements } from './statements.ts'

/** Fewer are looked up one by one, as of nearly every turn. */
const togetherMin = 8

/** Calls back with the state of each that is there. */
export function findStates(
  { findRow, findRows }: Statements,
  space: number,
  keys: readonly DocumentKey[],
  found: (key: DocumentKey, state: Uint8Array) => void,
): void {
  const idsByCollection = new Map<string, string[]>()
  for (const key of keys) {
    const collection = collectionOfKey(key)
    const id = idOfKey(key)
    if (keys.length < togetherMin || !isPlain(id)) {
      const row = findRow.get(space, collection, id)
      if (row !== undefined) found(key, bytesOf(row, 'state'))
      continue
    }
    const ids = idsByCollection.get(collection)
    if (ids === undefined) idsByCollection.set(collection, [id])
    else ids.push(id)
  }
  for (const [collection, ids] of idsByCollection)
    for (const row of findRows.all(JSON.stringify(ids), space, collection))
      found(keyOf(row), bytesOf(row, 'state'))
}

/** A list is told as JSON, in which SQLite ends a text at its first NUL. */
function isPlain(id: string): boolean {
  return !id.includes('\0') && (id as string & { isWellFormed(): boolean }).isWellFormed()
}
