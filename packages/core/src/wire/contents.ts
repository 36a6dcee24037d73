/**
 * The contents of parts within other bytes, one form for each strategy and one for deletions. Each is given the
 * part's own greatest mark, which is written beside it, and says the rest in differences from that.
 *
 * The decoder lets in only what a writer can have made: siblings in their order and covered by their context, one
 * entry for each writer and element, of a deletion what fits the strategy of each field. Joins rely on it.
 */
import type { AskCell, Sibling } from '../cells/ask.ts'
import type { Cell, Seen, Strategy } from '../cells/cell.ts'
import type { CounterCell, CounterEntry } from '../cells/counter.ts'
import type { SetCell, SetElement } from '../cells/set.ts'
import { compareBytes, keyOfBytes } from '../bytes.ts'
import { contextCovers } from '../context.ts'
import { deletePolicies, type Deletion } from '../deletion.ts'
import { assert } from '../errors.ts'
import { compareMarks, type Mark, type WriterId } from '../mark.ts'
import { strategyOfPart, type PartName } from '../row.ts'
import { readNumber, writeNumber } from './numbers.ts'
import type { Bounds } from './bounds.ts'
import { fieldAt, numberOfField, type Dictionary, type Names } from './dictionary.ts'
import {
  expectMark,
  readContext,
  readEarlierMark,
  readMark,
  readWholeContext,
  writeContext,
  writeEarlierMark,
  writeMark,
  writeWholeContext,
} from './marks.ts'
import { compareNames, sortedEntries } from './order.ts'
import {
  bytesLeft,
  readAnyCount,
  readByte,
  readBytes,
  readCount,
  readOptionalBytes,
  readRaw,
  readUint,
  type Reader,
} from './reader.ts'
import { checkLimit, refuseMalformed } from './refusal.ts'
import { writeByte, writeBytes, writeOptionalBytes, writeRaw, writeUint, type Writer } from './writer.ts'

/** Everything of a cell but `last`, its greatest mark. */
export function writeCellContent(
  writer: Writer,
  dictionary: Dictionary,
  cell: Cell,
  last: Mark | null,
): void {
  switch (cell.strategy) {
    case 'lww':
      return writeRaw(writer, cell.value)
    case 'ask':
      return writeAsk(writer, dictionary, cell, last)
    case 'set':
      return writeSet(writer, dictionary, cell, last)
    case 'counter':
      return writeCounter(writer, dictionary, cell, last)
    case 'text':
      return writeContext(writer, dictionary, cell.context, last)
  }
}

/** A cell from all the bytes of a reader. */
export function readCellContent(
  reader: Reader,
  names: Names,
  bounds: Bounds,
  strategy: Strategy,
  last: Mark | null,
): Cell {
  switch (strategy) {
    case 'lww':
      checkLimit('bytes of a value', bounds.valueBytes, bytesLeft(reader))
      return { strategy, last: expectMark(last), value: readRaw(reader, bytesLeft(reader)) }
    case 'ask':
      return readAsk(reader, names, bounds, last)
    case 'set':
      return readSet(reader, names, bounds, last)
    case 'counter':
      return readCounter(reader, names, last)
    case 'text':
      return { strategy, context: readContext(reader, names, last) }
  }
}

/** Everything of a deletion but its mark. */
export function writeDeletionContent(
  writer: Writer,
  dictionary: Dictionary,
  collection: string,
  deletion: Deletion,
): void {
  writeByte(writer, deletePolicies.indexOf(deletion.policy))
  writeUint(writer, deletion.seen.size)
  for (const [name, seen] of sortedEntries(deletion.seen)) {
    const number = numberOfField(dictionary, collection, name)
    writeUint(writer, number * 2 + (seen.kind === 'everything' ? 1 : 0))
    if (seen.kind === 'everything') continue
    assert(
      (strategyOfPart(name) === 'lww') === (seen.kind === 'last'),
      'of lww a deletion saw a last mark, of others a context',
    )
    if (seen.kind === 'last') writeMark(writer, dictionary, seen.mark, deletion.mark)
    else writeWholeContext(writer, dictionary, seen.context, deletion.mark)
  }
}

export function readDeletionContent(
  reader: Reader,
  names: Names,
  bounds: Bounds,
  collection: string,
  mark: Mark,
): Deletion {
  const policy = deletePolicies[readByte(reader)] ?? refuseMalformed('a deletion has an unknown policy')
  const seen = new Map<PartName, Seen>()
  let before = ''
  for (let left = readCount(reader, 'fields of a row', bounds.cellsOfRow, 1); left > 0; left--) {
    const head = readUint(reader)
    const name = readCellName(names, Math.floor(head / 2), collection)
    if (compareNames(before, name) >= 0) refuseMalformed('the fields of a deletion are not in order')
    before = name
    seen.set(name, head % 2 === 1 ? { kind: 'everything' } : readSeen(reader, names, name, mark))
  }
  return { mark, policy, seen }
}

function readSeen(reader: Reader, names: Names, name: PartName, known: Mark): Seen {
  return strategyOfPart(name) === 'lww'
    ? { kind: 'last', mark: expectMark(readMark(reader, names, known)) }
    : { kind: 'context', context: readWholeContext(reader, names, known) }
}

/** The name of a cell's part of this collection. */
export function readCellName(names: Names, number: number, collection: string): PartName {
  const field = fieldAt(names, number)
  if (field.collection !== collection) refuseMalformed('a field is of another collection than its row')
  if (field.part === '' || field.part === 'deletion' || field.part === 'revival')
    return refuseMalformed('a field is missing')
  return field.part
}

function writeAsk(writer: Writer, dictionary: Dictionary, cell: AskCell, last: Mark | null): void {
  writeContext(writer, dictionary, cell.context, last)
  writeUint(writer, cell.siblings.length)
  for (const { mark, value, base, answers } of cell.siblings) {
    writeMark(writer, dictionary, mark, last)
    writeBytes(writer, value)
    writeMark(writer, dictionary, base === null ? null : base.mark, last)
    if (base !== null) writeBytes(writer, base.value)
    writeOptionalBytes(writer, answers)
  }
}

function readAsk(reader: Reader, names: Names, bounds: Bounds, last: Mark | null): AskCell {
  const context = readContext(reader, names, last)
  const siblings: Sibling[] = []
  let before: Mark | null = null
  for (let left = readAnyCount(reader, 'siblings', 4); left > 0; left--) {
    const mark = expectMark(readMark(reader, names, last))
    if (before !== null && compareMarks(before, mark) >= 0) refuseMalformed('siblings are not in order')
    if (!contextCovers(context, mark)) refuseMalformed('a sibling is not covered by its context')
    before = mark
    const value = readBytes(reader, 'bytes of a value', bounds.valueBytes)
    const baseMark = readMark(reader, names, last)
    const base =
      baseMark === null
        ? null
        : { mark: baseMark, value: readBytes(reader, 'bytes of a value', bounds.valueBytes) }
    siblings.push({ mark, value, base, answers: readOptionalBytes(reader, 'bytes of answers', 64) })
  }
  return { strategy: 'ask', siblings, context }
}

function writeSet(writer: Writer, dictionary: Dictionary, cell: SetCell, last: Mark | null): void {
  writeContext(writer, dictionary, cell.context, last)
  writeUint(writer, cell.elements.size)
  const elements = [...cell.elements.values()]
  if (elements.length > 1) elements.sort((a, b) => compareBytes(a.value, b.value))
  for (const { value, added, removed } of elements) {
    writeBytes(writer, value)
    writeMark(writer, dictionary, added, last)
    writeMark(writer, dictionary, removed, last)
  }
}

function readSet(reader: Reader, names: Names, bounds: Bounds, last: Mark | null): SetCell {
  const context = readContext(reader, names, last)
  const elements = new Map<string, SetElement>()
  const count = readAnyCount(reader, 'elements of a set', 3)
  for (let i = 0; i < count; i++) {
    const value = readBytes(reader, 'bytes of a value', bounds.valueBytes)
    const added = readMark(reader, names, last)
    const removed = readMark(reader, names, last)
    elements.set(keyOfBytes(value), { value, added, removed })
  }
  if (elements.size !== count) refuseMalformed('a set has an element twice')
  return { strategy: 'set', elements, context }
}

/** The total of the writer of `last` goes first, since its mark goes without saying. */
function writeCounter(writer: Writer, dictionary: Dictionary, cell: CounterCell, last: Mark | null): void {
  if (last === null) return
  const latest = cell.entries.get(last.writer)
  assert(latest !== undefined, 'the greatest mark of a counter is of one of its writers')
  writeNumber(writer, latest.total)
  for (const [, { mark, total }] of sortedEntries(cell.entries)) {
    if (mark.writer === last.writer) continue
    writeEarlierMark(writer, dictionary, mark, last)
    writeNumber(writer, total)
  }
}

function readCounter(reader: Reader, names: Names, last: Mark | null): CounterCell {
  const entries = new Map<WriterId, CounterEntry>()
  if (last === null) return { strategy: 'counter', entries }
  entries.set(last.writer, { mark: last, total: readTotal(reader) })
  while (bytesLeft(reader) > 0) {
    const mark = readEarlierMark(reader, names, last)
    if (entries.has(mark.writer)) refuseMalformed('a counter has two entries for one writer')
    entries.set(mark.writer, { mark, total: readTotal(reader) })
  }
  return { strategy: 'counter', entries }
}

/** Totals that are no number could not be compared, and a join could not decide. */
export function readTotal(reader: Reader): number {
  const total = readNumber(reader)
  return Number.isFinite(total) ? total : refuseMalformed('a total is not a finite number')
}
