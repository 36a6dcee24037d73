/**
 * Bodies of texts in the tables: a snapshot up to a position, and a tail of updates after it.
 */
import type { DocumentKey, PartName, StoredText, TextFold } from '@rejoin/core'
import { bytesOf, numberOf } from './columns.ts'
import type { Statements } from './statements.ts'

export function readText(
  statements: Statements,
  space: number,
  key: DocumentKey,
  part: PartName,
): StoredText {
  const snapshot = statements.findSnapshot.get(space, key, part)
  const folded = numberOf(snapshot, 'position')
  const tail = statements.listTail.all(space, key, part, folded)
  const updates = tail.map(row => bytesOf(row, 'bytes'))
  return {
    folded,
    end: tail.length > 0 ? numberOf(tail.at(-1), 'position') : folded,
    updates: snapshot === undefined ? updates : [bytesOf(snapshot, 'snapshot'), ...updates],
  }
}

/** Whether what was read to make it is still there; if not, nothing is written. */
export function writeFold(
  statements: Statements,
  space: number,
  { key, part, read, snapshot }: TextFold,
): boolean {
  const folded = numberOf(statements.findSnapshot.get(space, key, part), 'position')
  const end = Math.max(folded, numberOf(statements.findEnd.get(space, key, part), 'position'))
  if (folded !== read.folded || end < read.end) return false
  statements.putSnapshot.run(space, key, part, read.end, snapshot)
  statements.cutTail.run(space, key, part, read.end)
  return true
}
