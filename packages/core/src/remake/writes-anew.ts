/**
 * A write made anew under its new mark (SPEC W6, X9): what named an old mark names the new one, a context goes on
 * covering what its old entry covered, and totals count only what stands.
 */
import { bodyKey } from '../bodies.ts'
import type { Cell, Seen } from '../cells/cell.ts'
import type { CounterCell } from '../cells/counter.ts'
import type { Deletion } from '../deletion.ts'
import type { TextAnew } from '../field.ts'
import type { Mark, WriterId } from '../mark.ts'
import { renameRow } from './rename-marks.ts'
import type { DocumentKey, PartName, Row } from '../row.ts'
import type { SeenDocument } from '../seen-document.ts'
import type { Write } from '../write.ts'
import type { Made, MarksAnew } from './marks-anew.ts'

/** What becomes of each own update: the same edit under the new writer. */
export type TextsAnew = ReadonlyMap<Uint8Array, TextAnew>

export interface WriteAnew {
  readonly write: Write
  readonly seen: SeenDocument
}

export function createWritesAnew(
  { rename: renameOf, keepCovered, keepUnder, move }: MarksAnew,
  texts: TextsAnew,
): (write: Write, seen: SeenDocument, made: Made) => WriteAnew {
  /** What each new writer has counted up to, by counter. */
  const totals = new Map<WriterId, Map<string, number>>()

  /** On top of what the new writer has counted: refused and remade increments of the old one are not in it. */
  function countAnew(key: DocumentKey, part: PartName, amount: number, mark: Mark): CounterAnew {
    const counter = bodyKey(key, part)
    const counted = totals.get(mark.writer) ?? new Map<string, number>()
    totals.set(mark.writer, counted)
    const before = counted.get(counter) ?? 0
    const total = before + amount
    counted.set(counter, total)
    return { before, cell: { strategy: 'counter', entries: new Map([[mark.writer, { mark, total }]]) } }
  }

  function deleteAnew(write: Write, deletion: Deletion, seenLast: Mark | null, made: Made): Deletion {
    const seenAnew = (part: PartName, now: Seen): Seen => {
      const old = write.delta.deletion?.seen.get(part)
      if (now.kind === 'context' && old?.kind === 'context')
        return { ...now, context: keepCovered(write, part, old.context, now.context, made) }
      if (now.kind === 'last' && old?.kind === 'last')
        return { ...now, mark: keepUnder(write, part, old.mark, now.mark, seenLast, made) }
      return now
    }
    const seen = new Map<PartName, Seen>()
    for (const [part, now] of deletion.seen) seen.set(part, seenAnew(part, now))
    return { ...deletion, seen }
  }

  function textsOf(write: Write): Write['texts'] {
    const bodies = new Map<PartName, readonly Uint8Array[]>()
    for (const [part, updates] of write.texts) {
      const again = updates.map(update => texts.get(update)).filter(update => update instanceof Uint8Array)
      if (again.length > 0) bodies.set(part, again)
    }
    return bodies
  }

  return (write, seen, made) => {
    const { key } = write
    const rename = (one: Mark): Mark => renameOf(write, one)
    const mark = move(write, seen.last, made)
    const bodies = textsOf(write)
    const { deletion, revival, cells: renamed } = renameRow(write.delta, rename)
    const cells = new Map<PartName, Cell>()
    const counted = new Map<PartName, number>()
    for (const [part, cell] of renamed) {
      const old = write.delta.cells.get(part)
      if (write.texts.has(part) && !bodies.has(part)) continue
      if (old?.strategy === 'counter') {
        const amount = (old.entries.get(write.mark.writer)?.total ?? 0) - (seen.counted.get(part) ?? 0)
        const anew = countAnew(key, part, amount, mark)
        if (anew.before !== 0) counted.set(part, anew.before)
        cells.set(part, anew.cell)
      } else if (old?.strategy === 'ask' && cell.strategy === 'ask') {
        cells.set(part, { ...cell, context: keepCovered(write, part, old.context, cell.context, made) })
      } else cells.set(part, cell)
    }
    const delta: Row = {
      cells,
      deletion: deletion === null ? null : deleteAnew(write, deletion, seen.last, made),
      revival,
    }
    const replaced = new Map([...write.replaced].map(([part, old]) => [part, rename(old)]))
    return {
      write: { ...write, mark, delta, texts: bodies, replaced },
      seen: { exists: seen.exists, last: seen.last === null ? null : rename(seen.last), counted },
    }
  }
}

interface CounterAnew {
  /** What the new writer had counted. */
  readonly before: number
  readonly cell: CounterCell
}
