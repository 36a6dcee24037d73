/**
 * Forwarding: what sessions are told of a commit, and of each row what is new to them (SPEC A1, F2, P2).
 *
 * The change goes to everybody whose pull is at the cut before: one frame for all clients, since what goes to many is
 * encoded once, and one without what it brought for each that brought something. Those who wait for it come first, then
 * verdicts, and who brought something hears what others brought behind its verdict.
 */
import type { ChangedRow, ChangesFrame, Cut, TextPart } from '../frames.ts'
import {
  lineageOf,
  type Generation,
  type GenerationId,
  type GenerationTable,
  type Positions,
} from '../generations.ts'
import type { FeedPart, FeedRow, HeldRow, TextState } from '../relay-store.ts'
import { limits } from '../limits.ts'
import { keysOf, pick } from '../listed-map.ts'
import { countParts, rowExists, type DocumentKey, type PartName, type Row } from '../row.ts'
import { sizeOfChanged, sizeOfWriters } from '../size.ts'
import { cameOver, createOrigins, type Origins } from './origins.ts'
import type { Delivery, Sessions, SpaceSession } from './space-session.ts'
import type { Standing } from './standing.ts'
import { hasOtherNews, type Turn } from './turn.ts'

/** About how much of a commit goes out in one frame. */
const liveBytesMax = 1024 * 1024

/** A turn is on disk, and `standing` has moved on: what is said of it. */
export function deliveriesOf(
  standing: Standing,
  turn: Turn,
  sessions: Sessions,
  moved: { readonly position: boolean; readonly frontier: boolean },
): readonly Delivery[] {
  const answers = answersOf(standing, turn, moved.position)
  const isForAll = moved.position || moved.frontier
  // T4: of what is remembered of writers alone only peers are told.
  if (!isForAll && turn.writers.size === 0) return answers
  const told = isForAll ? sessions.keys() : [...sessions.keys()].filter(({ role }) => role === 'peer')
  const { toOthers, toBringers } = forward(standing, turn, told, moved.position)
  return [...toOthers, ...answers, ...toBringers]
}

/** One row as a session needs it after its cut; null if nothing of it is new to it. */
export function changedRow(
  { origins }: Standing,
  session: SpaceSession,
  { key, held }: FeedRow,
  texts: ReadonlyMap<PartName, TextPart>,
): ChangedRow | null {
  // P4: a new client is spared what did not exist when its walk began.
  const isSpared = session.fresh > 0 && session.cut === 0 && held.position <= session.fresh
  return isSpared && !rowExists(held.row) ? null : select(origins, session, key, held, session.cut, texts)
}

/** The parts of a row that a session lacks; used to know which bodies to load. */
export function textsToSend(
  { origins }: Standing,
  session: SpaceSession,
  { key, held }: FeedRow,
): readonly PartName[] {
  return [...held.texts.keys()].filter(part => isNews(origins, session, key, held, part, session.cut))
}

/** The end of the feed, as a session is to be told of it. */
export function cutFor(standing: Standing, session: SpaceSession, fingerprint: boolean): Cut {
  const { generation, generations, position, record } = standing
  const news = new Map<GenerationId, number>()
  for (const [id, at] of standing.frontier)
    if (id !== generation && session.told.get(id) !== at) news.set(id, at)
  return {
    generation,
    position,
    frontier: news,
    generations: factsFor(generations, [...news.keys()], session.told),
    fingerprint: fingerprint ? record.fingerprint : null,
  }
}

/** The lineages of generations, as far back as what was told before: whoever knows one knows what it descends from. */
function factsFor(
  table: GenerationTable,
  news: readonly GenerationId[],
  told: Positions,
): readonly Generation[] {
  const unheard = news.filter(id => !told.has(id))
  if (unheard.length === 0) return []
  const known = new Set([...told.keys()].flatMap(id => lineageOf(table, id).map(fact => fact.id)))
  return unheard.flatMap(id => lineageOf(table, id).filter(fact => !known.has(fact.id)))
}

function advance(standing: Standing, session: SpaceSession): void {
  session.cut = session.place = standing.position
  session.told = standing.frontier
}

function answersOf(standing: Standing, turn: Turn, moved: boolean): Delivery[] {
  const { generation, position } = standing
  const deliveries: Delivery[] = []
  for (const [session, { submits, exceptions, gives, refused }] of turn.answers) {
    const commit = { generation, position }
    if (submits) {
      const cut = moved && session.live && !hasOtherNews(turn) && !bringsNews(standing, turn, session)
      if (cut) advance(standing, session)
      const count = session.submitted
      deliveries.push({ sessions: [session], frame: { type: 'verdict', count, ...commit, cut, exceptions } })
    }
    if (gives) {
      const count = session.givenCount
      deliveries.push({ sessions: [session], frame: { type: 'given', count, ...commit, refused } })
    }
  }
  return deliveries
}

function forward(
  standing: Standing,
  turn: Turn,
  present: Iterable<SpaceSession>,
  moved: boolean,
): { readonly toOthers: readonly Delivery[]; readonly toBringers: readonly Delivery[] } {
  const toOthers: Delivery[] = []
  const toBringers: Delivery[] = []
  /** Clients that brought nothing, and what they hear. */
  let listeners: Told | null = null
  for (const session of present) {
    if (!session.live || (moved && session.place === standing.position)) continue
    const brings = turn.answers.has(session)
    const isAlone = brings || session.role === 'peer'
    const { sessions, frame } = isAlone
      ? toldOf(standing, turn, session)
      : (listeners ??= toldOf(standing, turn, session))
    if (frame === null) {
      // F1: what one frame does not hold is sent in pages from its place.
      session.live = false
      continue
    }
    advance(standing, session)
    session.toldWriters = standing.position
    if (sessions.push(session) === 1) (brings ? toBringers : toOthers).push({ sessions, frame })
  }
  return { toOthers, toBringers }
}

interface Told {
  readonly sessions: SpaceSession[]
  /** Null if it is too much for one. */
  readonly frame: ChangesFrame | null
}

function toldOf(standing: Standing, turn: Turn, session: SpaceSession): Told {
  const frame = changesOf(standing, turn, session)
  const isTooMuch = frame.rows.length > limits.rowsPerFrameMax || sizeOfChanges(frame) > liveBytesMax
  return { sessions: [], frame: isTooMuch ? null : frame }
}

function changesOf(standing: Standing, turn: Turn, session: SpaceSession): ChangesFrame {
  return {
    type: 'changes',
    rows: changesFor(standing, turn, session),
    place: standing.position,
    head: standing.position,
    cut: cutFor(standing, session, false),
    answer: false,
    writers: session.role === 'peer' ? [...turn.writers.values()] : [],
  }
}

/** Whether anything of it came over another session: seldom, so nothing is made to find out. */
function bringsNews({ origins }: Standing, turn: Turn, session: SpaceSession): boolean {
  for (const [key, { by }] of turn.changes) {
    if (by === session) continue
    const held = turn.rows.get(key)
    if (by !== null || (held !== undefined && hasNews(origins, session, key, held, turn.position - 1)))
      return true
  }
  return false
}

function changesFor({ origins }: Standing, turn: Turn, session: SpaceSession): readonly ChangedRow[] {
  const tails = tailsOf(turn, session)
  const changes: ChangedRow[] = []
  turn.changes.forEach(({ by, news }, key) => {
    const held = turn.rows.get(key)
    if (by === session || held === undefined) return
    // Of what came over one other session origins may tell yet who brought what stood there before.
    const known = by === null ? origins : noOrigins
    const changed =
      news === null
        ? select(known, session, key, held, turn.position - 1, tails.get(key) ?? noTails)
        : changeOf(key, held, news, noTails)
    if (changed !== null) changes.push(changed)
  })
  return changes
}

const noOrigins = createOrigins()

function isNews(
  origins: Origins,
  session: SpaceSession,
  key: DocumentKey,
  held: HeldRow,
  part: FeedPart,
  after: number,
): boolean {
  return (held.positions.get(part) ?? 0) > after && !cameOver(origins, session, key, part)
}

function hasNews(
  origins: Origins,
  session: SpaceSession,
  key: DocumentKey,
  held: HeldRow,
  after: number,
): boolean {
  const { cells, deletion, revival } = held.row
  const names = keysOf(cells)
  for (let i = 0; i < names.length; i++)
    if (isNews(origins, session, key, held, names[i] as PartName, after)) return true
  return (
    (deletion !== null && isNews(origins, session, key, held, 'deletion', after)) ||
    (revival !== null && isNews(origins, session, key, held, 'revival', after))
  )
}

/** P2: of a row, every part that changed after a cut, but what came over this very session. */
function select(
  origins: Origins,
  session: SpaceSession,
  key: DocumentKey,
  held: HeldRow,
  after: number,
  texts: ReadonlyMap<PartName, TextPart>,
): ChangedRow | null {
  const { row } = held
  const delta = withParts(row, part => isNews(origins, session, key, held, part, after))
  if (countParts(delta) === 0) return null
  const bodies = texts.size === 0 ? noTails : new Map([...texts].filter(([part]) => delta.cells.has(part)))
  return changeOf(key, held, delta, bodies)
}

function changeOf(
  key: DocumentKey,
  held: HeldRow,
  delta: Row,
  texts: ReadonlyMap<PartName, TextPart>,
): ChangedRow {
  const all = countParts(held.row)
  const isWhole = countParts(delta) === all && bringsAllTexts(held, texts)
  return { key, delta, parts: isWhole ? 0 : all, texts }
}

/** Of a row the parts that are chosen; itself if all are, as of what is new, or of all to who is new. */
function withParts(row: Row, isChosen: (part: FeedPart) => boolean): Row {
  const cells = pick(row.cells, isChosen)
  const deletion = row.deletion !== null && isChosen('deletion') ? row.deletion : null
  const revival = row.revival !== null && isChosen('revival') ? row.revival : null
  if (cells === row.cells && deletion === row.deletion && revival === row.revival) return row
  return { cells, deletion, revival }
}

function bringsAllTexts({ texts }: HeldRow, bodies: ReadonlyMap<PartName, TextPart>): boolean {
  for (const [part, text] of texts) if (!bringsAll(bodies.get(part), text)) return false
  return true
}

/** P4: who lacks a row needs its bodies from their beginning, not from the cut on. */
function bringsAll(text: TextPart | undefined, { bytes }: TextState): boolean {
  if (text?.kind === 'head') return true
  return (text?.updates ?? []).reduce((sum, update) => sum + update.length, 0) === bytes
}

function sizeOfChanges({ rows, writers }: ChangesFrame): number {
  return rows.reduce((bytes, row) => bytes + sizeOfChanged(row), sizeOfWriters(writers))
}

const noTails: ReadonlyMap<PartName, TextPart> = new Map()
const noRows: ReadonlyMap<DocumentKey, ReadonlyMap<PartName, TextPart>> = new Map()

/** What the bodies grew by, but for what a session wrote itself: of a text that two bring in one turn neither is told all. */
function tailsOf(
  turn: Turn,
  session: SpaceSession,
): ReadonlyMap<DocumentKey, ReadonlyMap<PartName, TextPart>> {
  if (turn.texts.length === 0) return noRows
  const tails = new Map<
    DocumentKey,
    Map<PartName, { readonly kind: 'tail'; readonly updates: Uint8Array[] }>
  >()
  for (const { by, text } of turn.texts) {
    if (by === session) continue
    const { key, part, update } = text
    const ofRow = tails.get(key) ?? new Map()
    tails.set(key, ofRow)
    const tail = ofRow.get(part)
    if (tail === undefined) ofRow.set(part, { kind: 'tail', updates: [update] })
    else tail.updates.push(update)
  }
  return tails
}
