/**
 * A write as an application's rule reads it: which document, what kind of write, and the values that it brings. The
 * relay itself never looks into a value; this is read only where a rule asks.
 */
import { collectionOfKey, decodeValue, fieldOfPart, idOfKey, type Cell, type Write } from '@rejoin/core'

export interface ReadableWrite extends Write {
  readonly collection: string
  readonly id: string
  /** `insert` writes every field; `restore` brings a deleted document back as it was. */
  readonly kind: 'insert' | 'update' | 'delete' | 'restore'
  /**
   * By field: the value of `lww` and `ask`; of `set` what is added and how many are removed; of `counter` the writer's
   * running total. A `text` field is named with undefined: its letters are in `texts`, as Yjs updates.
   */
  readonly values: Readonly<Record<string, unknown>>
}

export function readableWrite(write: Write): ReadableWrite {
  let values: Readonly<Record<string, unknown>> | null = null
  return {
    ...write,
    collection: collectionOfKey(write.key),
    id: idOfKey(write.key),
    kind: kindOf(write),
    get values() {
      values ??= valuesOf(write)
      return values
    },
  }
}

function kindOf({ delta, whole }: Write): ReadableWrite['kind'] {
  if (whole) return 'insert'
  if (delta.deletion !== null) return 'delete'
  return delta.revival !== null && delta.cells.size === 0 ? 'restore' : 'update'
}

function valuesOf({ delta }: Write): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = Object.create(null)
  for (const [part, cell] of delta.cells) values[fieldOfPart(part)] = valueOf(cell)
  return values
}

function valueOf(cell: Cell): unknown {
  switch (cell.strategy) {
    case 'lww':
      return decoded(cell.value)
    case 'ask':
      return decoded(cell.siblings.at(-1)?.value)
    case 'set': {
      const elements = [...cell.elements.values()]
      return {
        added: elements.filter(({ added }) => added !== null).map(({ value }) => decoded(value)),
        removed: elements.filter(({ removed }) => removed !== null).length,
      }
    }
    case 'counter':
      return [...cell.entries.values()][0]?.total
    case 'text':
      return undefined
  }
}

/** What cannot be read is undefined: a rule that wants a value refuses its absence. */
function decoded(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined) return undefined
  const value = decodeValue(bytes)
  return value.ok ? value.value : undefined
}
