/**
 * What was pulled, on its way to the disk and back: rows that came together are stored as they came, in the names that
 * came with them, since to encode a cold start again costs as much as to decode it. All others are a batch in the names
 * of their chunk.
 */
import type { ChangedRow } from '../frames.ts'
import { diskBounds } from './bounds.ts'
import { encodedRowsAt, readChangedRows, writeChangedRows } from './changed-rows.ts'
import { readOwnNames, type Dictionary, type Names } from './dictionary.ts'
import { readByte, readCount, readUint, readWithin, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { writeByte, writeRaw, writeUint, type Writer } from './writer.ts'

const batch = 0
const asItCame = 1

export function writeRuns(writer: Writer, dictionary: Dictionary, rows: readonly ChangedRow[]): void {
  const runs = runsOf(rows)
  writeUint(writer, runs.length)
  for (const run of runs) {
    writeByte(writer, 'body' in run ? asItCame : batch)
    if ('body' in run) {
      writeUint(writer, run.names.length + run.body.length)
      writeRaw(writer, run.names)
      writeRaw(writer, run.body)
    } else {
      writeChangedRows(writer, dictionary, run)
    }
  }
}

function runsOf(
  rows: readonly ChangedRow[],
): readonly (readonly ChangedRow[] | NonNullable<ReturnType<typeof encodedRowsAt>>)[] {
  const runs: (ChangedRow[] | NonNullable<ReturnType<typeof encodedRowsAt>>)[] = []
  for (let i = 0; i < rows.length; ) {
    const encoded = encodedRowsAt(rows, i)
    const last = runs.at(-1)
    const row = rows[i]
    if (encoded !== null) runs.push(encoded)
    else if (row !== undefined && last !== undefined && !('body' in last)) last.push(row)
    else if (row !== undefined) runs.push([row])
    i += encoded?.rows.length ?? 1
  }
  return runs
}

export function readRuns(reader: Reader, names: Names): readonly ChangedRow[] {
  const count = readCount(reader, 'runs of rows', diskBounds.rows, 2)
  // As most that are long.
  if (count === 1) return readRun(reader, names)
  const rows: ChangedRow[] = []
  for (let left = count; left > 0; left--) for (const row of readRun(reader, names)) rows.push(row)
  return rows
}

function readRun(reader: Reader, names: Names): readonly ChangedRow[] {
  const kind = readByte(reader)
  if (kind > asItCame) refuseMalformed('rows are stored in an unknown form')
  return kind === batch ? readChangedRows(reader, names, diskBounds) : readAsItCame(reader)
}

function readAsItCame(reader: Reader): readonly ChangedRow[] {
  return readWithin(reader, readUint(reader), within =>
    readChangedRows(within, readOwnNames(within), diskBounds),
  )
}
