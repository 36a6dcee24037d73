/**
 * Rows of SQLite as values of the core. What the store reads is what it wrote, so a wrong type is a bug or a damaged
 * file, and reads as empty rather than as something else.
 */
import {
  decodeHeldRow,
  documentKey,
  RejoinError,
  type DocumentKey,
  type Generation,
  type GenerationId,
  type HeldRow,
  type StoreId,
  type WriterId,
  type WriterRecord,
} from '@rejoin/core'
import type { Row } from './database.ts'

export function numberOf(row: Row | undefined, name: string): number {
  const value = row?.[name]
  return typeof value === 'number' ? value : 0
}

export function textOf(row: Row | undefined, name: string): string {
  const value = row?.[name]
  return typeof value === 'string' ? value : ''
}

export function bytesOf(row: Row | undefined, name: string): Uint8Array {
  const value = row?.[name]
  return value instanceof Uint8Array ? value : new Uint8Array(0)
}

export function keyOf(row: Row): DocumentKey {
  return documentKey(textOf(row, 'collection'), textOf(row, 'id'))
}

/** The row of a blob. One that cannot be read means a damaged file: to leave it out would be to lose it in silence. */
export function heldOf(state: Uint8Array): HeldRow {
  const decoded = decodeHeldRow(state)
  if (decoded.ok) return decoded.value
  const reason = decoded.error.code
  throw new RejoinError(
    'storage-closed',
    { reason },
    'A row of the store is damaged; restore it from a backup.',
  )
}

export function generationOf(row: Row): Generation {
  const parent = row['parent']
  return {
    id: textOf(row, 'id') as GenerationId,
    store: textOf(row, 'store') as StoreId,
    parent: typeof parent === 'string' ? (parent as GenerationId) : null,
    start: numberOf(row, 'start'),
  }
}

export function writerOf(row: Row): WriterRecord {
  const writer = textOf(row, 'id') as WriterId
  return {
    writer,
    user: textOf(row, 'user'),
    device: textOf(row, 'device'),
    highest: { ms: numberOf(row, 'ms'), tick: numberOf(row, 'tick'), writer },
  }
}
