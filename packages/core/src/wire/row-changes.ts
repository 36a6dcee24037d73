/**
 * What a commit changed, as a store may log it: of each row the parts that are another now, all rows in columns as on
 * the wire, and of writers their highest marks. By itself, in names of its own.
 */
import type { Outcome } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Mark } from '../mark.ts'
import { lastOfRow, type DocumentKey, type Row } from '../row.ts'
import { readBatch, writeBatch } from './batch.ts'
import { diskBounds } from './bounds.ts'
import {
  borrowDictionary,
  createDictionary,
  createNames,
  readDefinitions,
  returnDictionary,
  writeDefinitions,
} from './dictionary.ts'
import { expectMark, readMark, writeMark } from './marks.ts'
import { createReader, expectEnd, readCount } from './reader.ts'
import { attempt } from './refusal.ts'
import { createWriter, finishTogether, writeUint } from './writer.ts'

export interface RowChanges {
  readonly rows: readonly { readonly key: DocumentKey; readonly changed: Row }[]
  /** One of each writer. */
  readonly marks: readonly Mark[]
}

export function encodeRowChanges({ rows, marks }: RowChanges): Uint8Array {
  const dictionary = borrowDictionary()
  const body = createWriter()
  writeBatch(
    body,
    dictionary,
    rows.map(({ key, changed }) => ({ key, delta: changed, mark: lastOfRow(changed) })),
  )
  writeUint(body, marks.length)
  for (const mark of marks) writeMark(body, dictionary, mark, null)
  const writer = createWriter()
  writeDefinitions(writer, dictionary, { writers: 0, fields: 0 })
  returnDictionary(dictionary)
  return finishTogether(writer, body)
}

export function decodeRowChanges(bytes: Uint8Array): Outcome<RowChanges> {
  return attempt(() => {
    const reader = createReader(bytes)
    const names = createNames(createDictionary())
    readDefinitions(reader, names)
    const batch = readBatch(reader, names, diskBounds)
    const rows = batch.rows.map((changed, i) => ({ key: batch.keys[i] as DocumentKey, changed }))
    const marks: Mark[] = []
    for (let left = readCount(reader, 'marks', limits.frameBytesMax, 3); left > 0; left--)
      marks.push(expectMark(readMark(reader, names, null)))
    expectEnd(reader)
    return { rows, marks }
  })
}
