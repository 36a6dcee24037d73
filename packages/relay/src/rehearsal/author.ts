/**
 * What is written in a rehearsal: documents of a few fields, as clients insert and change them. They are made of what a
 * decoded frame is made of, since code that has met two shapes of one thing is slower for both.
 */
import {
  documentKey,
  encodeValue,
  ListedMap,
  nothingReplaced,
  noTexts,
  partName,
  writerFromBytes,
  type Cell,
  type Mark,
  type PartName,
  type Runtime,
  type SubmittedTransaction,
} from '@rejoin/core'

export interface Author {
  /** The mark that it saw of each field of each document. */
  readonly seen: readonly Mark[]
  /** Makes so many documents more. */
  insert(count: number): readonly SubmittedTransaction[]
  /** Sets one field of each of so many documents, from a number on; after the last one comes the first again. */
  change(field: number, from: number, count: number): readonly SubmittedTransaction[]
}

const parts = ['title', 'owner', 'status', 'note', 'number'].map(name => partName('lww', name))
const listsOfOne = parts.map(part => [part])

export const fieldCount: number = parts.length

/** `seen`: of who knows documents already. */
export function createAuthor(runtime: Runtime, seen: readonly Mark[] = []): Author {
  const writer = writerFromBytes(runtime.randomBytes(8))
  const marks = [...seen]
  let last: Mark = { ms: Math.floor(runtime.now()), tick: 0, writer }
  let changed = 0

  function nextMark(): Mark {
    const ms = Math.max(last.ms, Math.floor(runtime.now()))
    return (last = { ms, tick: ms === last.ms ? last.tick + 1 : 0, writer })
  }

  function insertOne(): SubmittedTransaction {
    const mark = nextMark()
    const document = marks.length / parts.length
    const key = documentKey('rehearsal', `document-${document}`)
    for (let field = 0; field < parts.length; field++) marks.push(mark)
    const list = parts.map((_, field) => cellOf(mark, valueOf(field, document)))
    const delta = { cells: new ListedMap(parts, list), deletion: null, revival: mark }
    const write = { key, mark, delta, whole: true, texts: noTexts, replaced: nothingReplaced }
    return { writes: [write], preconditions: [] }
  }

  function changeOne(field: number, document: number): SubmittedTransaction {
    const mark = nextMark()
    const key = documentKey('rehearsal', `document-${document}`)
    const at = document * parts.length + field
    const names = listsOfOne[field] ?? []
    const before = marks[at]
    const replaced = before === undefined ? nothingReplaced : new ListedMap<PartName, Mark>(names, [before])
    marks[at] = mark
    changed += 1
    const cells = new ListedMap<PartName, Cell>(names, [cellOf(mark, valueOf(field, changed))])
    const delta = { cells, deletion: null, revival: null }
    return { writes: [{ key, mark, delta, whole: false, texts: noTexts, replaced }], preconditions: [] }
  }

  return {
    seen: marks,
    insert: count => Array.from({ length: count }, insertOne),
    change: (field, from, count) =>
      Array.from({ length: count }, (_, i) => changeOne(field, (from + i) % (marks.length / parts.length))),
  }
}

function cellOf(last: Mark, value: string | number): Cell {
  return { strategy: 'lww', last, value: encodeValue(value) }
}

/** Texts of several lengths, and a number. */
function valueOf(field: number, of: number): string | number {
  return field === fieldCount - 1 ? of : String(of * 7919).repeat(1 + field * 3)
}
