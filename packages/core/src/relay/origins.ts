/**
 * Over which session the parts of rows came exactly as they stand: these are not sent back over it (SPEC P2). Of the
 * latest rows only, since forgetting costs an echo and nothing else.
 */
import type { FeedPart } from '../relay-store.ts'
import { emptyRow, joinRows, type DocumentKey, type Row } from '../row.ts'
import type { SpaceSession } from './space-session.ts'

export interface Origins {
  cameOver(session: SpaceSession, key: DocumentKey, part: FeedPart): boolean
  /** Parts of a row changed, by what this session brought. */
  note(session: SpaceSession, key: DocumentKey, row: Row, brought: Row, parts: readonly FeedPart[]): void
}

type SessionByPart = Map<FeedPart, number>

const rowsMax = 8192

export function createOrigins(): Origins {
  let recent = new Map<DocumentKey, SessionByPart>()
  let older = new Map<DocumentKey, SessionByPart>()
  const of = (key: DocumentKey): SessionByPart | undefined => recent.get(key) ?? older.get(key)
  return {
    cameOver: (session, key, part) => of(key)?.get(part) === session.id,
    note(session, key, row, brought, parts) {
      const origins = of(key) ?? new Map()
      for (const part of parts) {
        if (isSamePart(row, brought, part)) origins.set(part, session.id)
        else origins.delete(part)
      }
      recent.set(key, origins)
      if (recent.size < rowsMax) return
      older = recent
      recent = new Map()
    },
  }
}

/** Whether a part stands exactly as it came: joining it back would bring nothing that who sent it lacks. */
function isSamePart(row: Row, brought: Row, part: FeedPart): boolean {
  if (part === 'revival') return row.revival === brought.revival
  // What came and won is the very object that came, as of nearly every write.
  if (part !== 'deletion' && row.cells.get(part) === brought.cells.get(part)) return true
  return isSameRow(only(row, part), only(brought, part))
}

function only(row: Row, part: FeedPart): Row {
  if (part === 'deletion') return { ...emptyRow, deletion: row.deletion }
  if (part === 'revival') return { ...emptyRow, revival: row.revival }
  const cell = row.cells.get(part)
  return cell === undefined ? emptyRow : { ...emptyRow, cells: new Map([[part, cell]]) }
}

function isSameRow(a: Row, b: Row): boolean {
  return joinRows(a, b) === a && joinRows(b, a) === b
}
