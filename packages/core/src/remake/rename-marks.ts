/**
 * Rewrites the marks that a delta bears and names, when writes are made anew under new marks (SPEC W6).
 */
import type { Cell, Seen } from '../cells/cell.ts'
import type { Context } from '../context.ts'
import { compareMarks, type Mark, type WriterId } from '../mark.ts'
import type { PartName, Row } from '../row.ts'

export type Rename = (mark: Mark) => Mark

export function renameRow(row: Row, rename: Rename): Row {
  const cells = new Map<PartName, Cell>()
  for (const [name, cell] of row.cells) cells.set(name, renameCell(cell, rename))
  const deletion =
    row.deletion === null
      ? null
      : {
          mark: rename(row.deletion.mark),
          policy: row.deletion.policy,
          seen: new Map([...row.deletion.seen].map(([name, seen]) => [name, renameSeen(seen, rename)])),
        }
  return { cells, deletion, revival: row.revival === null ? null : rename(row.revival) }
}

function renameCell(cell: Cell, rename: Rename): Cell {
  switch (cell.strategy) {
    case 'lww':
      return { strategy: 'lww', last: rename(cell.last), value: cell.value }
    case 'ask': {
      const siblings = cell.siblings.map(sibling => ({
        ...sibling,
        mark: rename(sibling.mark),
        base: sibling.base === null ? null : { mark: rename(sibling.base.mark), value: sibling.base.value },
      }))
      siblings.sort((a, b) => compareMarks(a.mark, b.mark))
      return { strategy: 'ask', siblings, context: renameContext(cell.context, rename) }
    }
    case 'set': {
      const elements = new Map(
        [...cell.elements].map(([key, { value, added, removed }]) => [
          key,
          {
            value,
            added: added === null ? null : rename(added),
            removed: removed === null ? null : rename(removed),
          },
        ]),
      )
      return { strategy: 'set', elements, context: renameContext(cell.context, rename) }
    }
    case 'counter': {
      const entries = new Map<WriterId, { mark: Mark; total: number }>()
      for (const { mark, total } of cell.entries.values()) {
        const renamed = rename(mark)
        entries.set(renamed.writer, { mark: renamed, total })
      }
      return { strategy: 'counter', entries }
    }
    case 'text':
      return { strategy: 'text', context: renameContext(cell.context, rename) }
  }
}

function renameSeen(seen: Seen, rename: Rename): Seen {
  if (seen.kind === 'last') return { kind: 'last', mark: rename(seen.mark) }
  if (seen.kind === 'context') return { kind: 'context', context: renameContext(seen.context, rename) }
  return seen
}

/** Two old writers may become one new one: the greater entry stands. */
export function renameContext(context: Context, rename: Rename): Context {
  const renamed = new Map<WriterId, Mark>()
  for (const mark of context.values()) {
    const now = rename(mark)
    const held = renamed.get(now.writer)
    if (held === undefined || compareMarks(now, held) > 0) renamed.set(now.writer, now)
  }
  return renamed
}
