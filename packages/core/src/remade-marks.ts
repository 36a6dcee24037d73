/**
 * Writes that were made anew, by their marks as they were and as they are now: what comes to the disk later, from a tab
 * that had not heard of it yet, still names the old ones (SPEC W6). A mark says which write it is in its row alone: where
 * rows force a clock ahead, one writer gives the same mark in several.
 *
 * How long that may take cannot be told, since a tab may be frozen; so the latest are kept, up to a bound. All of one chunk
 * stay or go together, so that all tabs keep the same.
 */
import type { RemadeMark } from './chunk.ts'
import { formatMark, type Mark } from './mark.ts'
import type { DocumentKey } from './row.ts'
import type { Transaction, Write } from './write.ts'

export interface RemadeMarks {
  /** What a mark of a row was made, in however many passes; itself if it was not. */
  now(key: DocumentKey, mark: Mark): Mark
  has(key: DocumentKey, mark: Mark): boolean
  /** Those of one document, the first first. */
  of(key: DocumentKey): readonly RemadeMark[]
  all(): readonly RemadeMark[]
}

export interface RemadeMarksKept extends RemadeMarks {
  /** Those of one chunk. */
  add(marks: readonly RemadeMark[]): void
  /** Takes those of a snapshot instead. */
  replace(marks: readonly RemadeMark[]): void
}

/** Of the latest chunk all are kept, however many they are. */
const keptMarks = 4096

interface OfDocument {
  readonly marks: RemadeMark[]
  readonly nowByOld: Map<string, Mark>
}

export function createRemadeMarks(): RemadeMarksKept {
  const byKey = new Map<DocumentKey, OfDocument>()
  let kept: readonly RemadeMark[] = []

  function enter(mark: RemadeMark): void {
    const document: OfDocument = byKey.get(mark.key) ?? { marks: [], nowByOld: new Map() }
    byKey.set(mark.key, document)
    document.marks.push(mark)
    document.nowByOld.set(formatMark(mark.old), mark.now)
  }

  function replace(marks: readonly RemadeMark[]): void {
    kept = marks
    byKey.clear()
    for (const mark of marks) enter(mark)
  }

  return {
    now(key, mark) {
      const nowByOld = byKey.get(key)?.nowByOld
      let found = mark
      for (let next = nowByOld?.get(formatMark(found)); next !== undefined; ) {
        found = next
        next = nowByOld?.get(formatMark(found))
      }
      return found
    },
    has: (key, mark) => byKey.get(key)?.nowByOld.has(formatMark(mark)) === true,
    of: key => byKey.get(key)?.marks ?? [],
    all: () => kept,
    add(marks) {
      if (marks.length > 0) replace(latestOf([...kept, ...marks]))
    },
    replace,
  }
}

function latestOf(marks: readonly RemadeMark[]): readonly RemadeMark[] {
  if (marks.length <= keptMarks) return marks
  const last = marks.at(-1)?.position ?? 0
  const beyond = marks.at(-keptMarks - 1)?.position ?? 0
  return marks.filter(({ position }) => position > beyond || position === last)
}

/** The marks of a transaction that was made anew. */
export function remadeMarksOf(position: number, old: Transaction, now: Transaction): readonly RemadeMark[] {
  const marks: RemadeMark[] = []
  let at = 0
  for (const write of old.writes) {
    const again = now.writes[at]
    // Nothing may have remained of what was typed.
    if (again?.key !== write.key || (isTyped(write) && !isTyped(again))) continue
    at += 1
    marks.push({
      key: write.key,
      parts: [...write.delta.cells.keys()],
      position,
      old: write.mark,
      now: again.mark,
    })
  }
  return marks
}

/** Whether it brings nothing but texts. */
export function isTyped({ delta }: Pick<Write, 'delta'>): boolean {
  const { cells, deletion, revival } = delta
  return deletion === null && revival === null && [...cells.values()].every(cell => cell.strategy === 'text')
}
