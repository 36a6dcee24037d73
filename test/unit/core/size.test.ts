// Frames are filled by what their rows are taken to need, so that must not be far from what they do (SPEC F4).
import {
  documentKey,
  emptyRow,
  encodeFrame,
  keyOfBytes,
  partName,
  sizeOfChanged,
  writerFromBytes,
  type ChangedRow,
  type Mark,
  type Row,
  type SetElement,
  type WriterId,
} from '@rejoin/core'
import { expect, test } from 'vitest'
import { bytesOf } from './edits.ts'

const now = 1_764_000_000_000

/** Of years, with ticks, by somebody else each. */
function markAt(i: number): Mark {
  const writer = writerFromBytes(new Uint8Array([i * 7, i * 13, i * 17, i >> 8, i, 5, 6, 7]))
  return { ms: now - ((i * 7_919_001) % 10 ** 11), tick: (i * 31) % 300, writer }
}

function contextOf(count: number): ReadonlyMap<WriterId, Mark> {
  return new Map(Array.from({ length: count }, (_, i) => [markAt(i).writer, markAt(i)]))
}

function fieldsNamed(...names: readonly string[]): Row {
  const cells = names.map(
    name => [partName('lww', name), { strategy: 'lww', last: markAt(1), value: bytesOf('x') }] as const,
  )
  return { ...emptyRow, cells: new Map(cells) }
}

const names = (name: string): readonly string[] => Array.from({ length: 200 }, (_, i) => `${i}${name}`)
const elements = Array.from({ length: 2000 }, (_, i): [string, SetElement] => {
  const value = bytesOf(`${i}`)
  return [keyOfBytes(value), { value, added: markAt(i), removed: markAt(i + 1) }]
})

const rows: readonly (readonly [string, (i: number) => readonly [id: string, row: Row]])[] = [
  ['fields of their own', i => [`${i}`, fieldsNamed(...names(`${i}`.padStart(240, 'field')))]],
  ['fields in another script', i => [`${i}`, fieldsNamed(...names(`${i}`.padStart(12, '欄')))]],
  ['long fields in another script', i => [`${i}`, fieldsNamed(...names(`${i}`.padStart(80, '欄')))]],
  ['ids in another script', i => [`${i}`.padEnd(85, '字'), fieldsNamed('color')]],
  ['short ids in another script', i => [`${i}`.padEnd(26, '字'), fieldsNamed('color')]],
  [
    'many writers',
    i => [
      `${i}`,
      {
        ...emptyRow,
        cells: new Map([[partName('text', 'body'), { strategy: 'text', context: contextOf(900 + i) }]]),
      },
    ],
  ],
  [
    'many elements',
    i => [
      `${i}`,
      {
        ...emptyRow,
        cells: new Map([
          [partName('set', 'tags'), { strategy: 'set', elements: new Map(elements), context: contextOf(2) }],
        ]),
      },
    ],
  ],
  [
    'deletions that saw much',
    i => {
      const seen = [...names(`${i}`.padStart(200, 'f'))].map(
        name => [partName('set', name), { kind: 'context', context: contextOf(3) }] as const,
      )
      return [`${i}`, { ...emptyRow, deletion: { mark: markAt(1), policy: 'ask', seen: new Map(seen) } }]
    },
  ],
]

test.each(rows)('rows with %s take no more than two and a half times what they are taken for', (_, rowOf) => {
  const changed = Array.from({ length: 50 }, (_, i): ChangedRow => {
    const [id, delta] = rowOf(i)
    return { key: documentKey('notes', id), delta, parts: 0, texts: new Map() }
  })
  const told = encodeFrame({
    type: 'changes',
    rows: changed,
    place: 1,
    head: 1,
    cut: null,
    answer: false,
    writers: [],
  })
  const size = changed.reduce((sum, row) => sum + sizeOfChanged(row), 0)
  expect(told.length / size).toBeLessThan(2.5)
})
