/**
 * Over which session the parts of rows came exactly as they stand: these are not sent back over it (SPEC P2). Of the
 * latest rows only, since forgetting costs an echo and nothing else.
 */
import type { FeedPart } from '../relay-store.ts'
import { emptyRow, joinRows, type DocumentKey, type Row } from '../row.ts'
import type { SpaceSession } from './space-session.ts'

/** Two generations, young and old. */
export interface Origins {
  recent: Map<DocumentKey, SessionByPart> | null
  older: ReadonlyMap<DocumentKey, SessionByPart> | null
}

type SessionByPart = Map<FeedPart, number>

const rowsMax = 8192

export function createOrigins(): Origins {
  return { recent: null, older: null }
}

/** Of these parts nobody is known to have all: what their bodies grew by came over one session, and the cells over another. */
export function forgetOriginsOf(
  { recent, older }: Origins,
  key: DocumentKey,
  parts: Iterable<FeedPart>,
): void {
  for (const part of parts) {
    recent?.get(key)?.delete(part)
    older?.get(key)?.delete(part)
  }
}

/** All sessions have everything: nothing is left that would be sent back. */
export function forgetOrigins(origins: Origins): void {
  origins.recent = origins.older = null
}

export function cameOver(origins: Origins, session: SpaceSession, key: DocumentKey, part: FeedPart): boolean {
  return sessionsOf(origins, key)?.get(part) === session.id
}

/** Parts of a row changed, by what this session brought. */
export function noteOrigins(
  origins: Origins,
  session: SpaceSession,
  key: DocumentKey,
  change: { readonly row: Row; readonly brought: Row; readonly parts: readonly FeedPart[] },
): void {
  const { row, brought, parts } = change
  const sessions = sessionsOf(origins, key) ?? new Map<FeedPart, number>()
  for (const part of parts) {
    if (isSamePart(row, brought, part)) sessions.set(part, session.id)
    else sessions.delete(part)
  }
  origins.recent ??= new Map()
  origins.recent.set(key, sessions)
  if (origins.recent.size < rowsMax) return
  origins.older = origins.recent
  origins.recent = null
}

/** Whether parts of a row all stand exactly as they came. */
export function cameAsItStands(row: Row, brought: Row, parts: readonly FeedPart[]): boolean {
  for (let i = 0; i < parts.length; i++) if (!isSamePart(row, brought, parts[i] as FeedPart)) return false
  return true
}

function sessionsOf({ recent, older }: Origins, key: DocumentKey): SessionByPart | undefined {
  return recent?.get(key) ?? older?.get(key)
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
