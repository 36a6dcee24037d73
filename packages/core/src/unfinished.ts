/**
 * Texts of rows of which something is outstanding: their cells and updates wait in memory, and are stored together when
 * all has come (SPEC X3). A cell that stood on the disk ahead of its body would say that all of it is here; a session
 * that ends in between leaves the row as it was, and the next one asks for it again (SPEC P4).
 */
import type { ChangedRow, TextFrame } from './frames.ts'
import { emptyRow, joinRows, type DocumentKey, type PartName, type Row } from './row.ts'

/** What can be stored: cells, and the updates that they speak of. */
export interface FinishedTexts {
  readonly rows: readonly ChangedRow[]
  readonly texts: readonly Pick<TextFrame, 'key' | 'part' | 'update'>[]
}

export interface UnfinishedTexts {
  /** The cells of a row that wait. */
  cellsOf(key: DocumentKey): Row
  /** Keeps the texts of rows that are asked for, and gives back what can be stored now. `areAnswers`: they came whole. */
  hold(
    rows: readonly ChangedRow[],
    isAsked: (key: DocumentKey) => boolean,
    areAnswers: boolean,
  ): readonly ChangedRow[]
  holdText(frame: TextFrame): void
  /** What was kept of rows of which nothing is outstanding. */
  take(keys: Iterable<DocumentKey>): FinishedTexts
}

interface Held {
  cells: Row
  /** What was asked for, then what the feed brought meanwhile: each can be applied after those before it. */
  readonly asked: [PartName, Uint8Array][]
  readonly tails: [PartName, Uint8Array][]
}

export function createUnfinishedTexts(): UnfinishedTexts {
  const held = new Map<DocumentKey, Held>()

  function heldOf(key: DocumentKey): Held {
    let found = held.get(key)
    if (found === undefined) held.set(key, (found = { cells: emptyRow, asked: [], tails: [] }))
    return found
  }

  /** What of a row need not wait, or null. */
  function holdTexts(row: ChangedRow, isAnswer: boolean): ChangedRow | null {
    const all = [...row.delta.cells]
    const cells = new Map(all.filter(([, cell]) => cell.strategy === 'text'))
    if (cells.size === 0) return row
    const kept = heldOf(row.key)
    kept.cells = joinRows(kept.cells, { ...emptyRow, cells })
    for (const [part, text] of row.texts) {
      if (text.kind !== 'tail') continue
      for (const update of text.updates) (isAnswer ? kept.asked : kept.tails).push([part, update])
    }
    const rest = { ...row.delta, cells: new Map(all.filter(([part]) => !cells.has(part))) }
    return joinRows(emptyRow, rest) === emptyRow ? null : { ...row, delta: rest, texts: new Map() }
  }

  return {
    cellsOf: key => held.get(key)?.cells ?? emptyRow,
    hold: (rows, isAsked, areAnswers) =>
      rows.flatMap(row => {
        if (!isAsked(row.key)) return [row]
        const rest = holdTexts(row, areAnswers)
        return rest === null ? [] : [rest]
      }),
    holdText: ({ key, part, update }) => void heldOf(key).asked.push([part, update]),
    take(keys) {
      const rows: ChangedRow[] = []
      const texts: FinishedTexts['texts'][number][] = []
      for (const key of keys) {
        const found = held.get(key)
        if (found === undefined) continue
        held.delete(key)
        rows.push({ key, delta: found.cells, parts: 0, texts: new Map() })
        for (const [part, update] of [...found.asked, ...found.tails]) texts.push({ key, part, update })
      }
      return { rows, texts }
    },
  }
}
