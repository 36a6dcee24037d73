/**
 * The writes of a space that people have worked in for days: each document is there from the start, and each of its
 * fields was written again since, in random order and some five seconds apart, so every field has a mark of its own.
 */
import {
  documentKey,
  encodeValue,
  nothingReplaced,
  noTexts,
  partName,
  writerFromBytes,
  type LwwCell,
  type Mark,
  type PartName,
  type Write,
} from '@rejoin/core'
import { createChance, type Chance } from '@rejoin/testkit'
import { entryAt, entryFields, entryId, type EntryField } from '../records.ts'

const apartMs = 5000
const writer = writerFromBytes(new Uint8Array([3, 1, 4, 1, 5, 9, 2, 6]))

/** None of them is later than `until`, in milliseconds. */
export function agedWrites(documents: number, until: number): readonly Write[] {
  const chance = createChance(42)
  const places = shuffled(documents * entryFields.length, chance)
  let ms = until - 2 * apartMs * places.length
  const inserts = Array.from({ length: documents }, (_, index) =>
    writeOf(index, entryFields, { ms, tick: index, writer }, true),
  )
  const updates = places.map(place => {
    ms += Math.floor(-Math.log(1 - chance.next()) * apartMs)
    const index = Math.floor(place / entryFields.length)
    const field = entryFields[place % entryFields.length] ?? 'n'
    return writeOf(index, [field], { ms, tick: 0, writer }, false)
  })
  return [...inserts, ...updates]
}

function writeOf(index: number, fields: readonly EntryField[], mark: Mark, whole: boolean): Write {
  const entry = entryAt(index)
  const cells = new Map<PartName, LwwCell>(
    fields.map(field => [
      partName('lww', field),
      { strategy: 'lww', last: mark, value: encodeValue(entry[field]) },
    ]),
  )
  const delta = { cells, deletion: null, revival: whole ? mark : null }
  return {
    key: documentKey('recs', entryId(index)),
    mark,
    delta,
    whole,
    texts: noTexts,
    replaced: nothingReplaced,
  }
}

function shuffled(count: number, chance: Chance): readonly number[] {
  const numbers = Array.from({ length: count }, (_, i) => i)
  for (let left = count - 1; left > 0; left--) {
    const other = chance.below(left + 1)
    const moved = numbers[left] ?? 0
    numbers[left] = numbers[other] ?? 0
    numbers[other] = moved
  }
  return numbers
}
