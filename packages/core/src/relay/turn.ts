/**
 * A turn: what frames brought, against rows that were loaded for it, until it is on disk as one commit (SPEC A1).
 *
 * If the commit fails the turn is dropped, and nothing of it was said.
 */
import type { Failure } from '../errors.ts'
import { replaceHeldInFingerprint } from '../fingerprint.ts'
import type { VerdictException, WriterRecord } from '../frames.ts'
import {
  addPosition,
  joinPositions,
  learnGenerations,
  type Generation,
  type Positions,
  type StoreId,
} from '../generations.ts'
import type { JudgeContext } from '../judge/judge.ts'
import type { TakenRow } from '../judge/texts.ts'
import { copyListed, keysOf, ListedMap } from '../listed-map.ts'
import { copyMap } from '../map-copy.ts'
import type { WriterId } from '../mark.ts'
import type { FeedPart, HeldRow, PeerState, SpaceCommit } from '../relay-store.ts'
import { countParts, joinRows, type DocumentKey, type PartName, type Row } from '../row.ts'
import { cameAsItStands, forgetOriginsOf, noteOrigins } from './origins.ts'
import type { SpaceSession, TurnReads } from './space-session.ts'
import type { Standing } from './standing.ts'

/** What a session hears when the turn is on disk. */
export interface TurnAnswer {
  /** What its submits are judged by. */
  judging: JudgeContext | null
  submits: boolean
  readonly exceptions: VerdictException[]
  gives: boolean
  readonly refused: { readonly key: DocumentKey; readonly error: Failure }[]
}

/** A row that changed in the turn, whose positions are the turn's own until it is on disk. */
interface TurnRow extends HeldRow {
  row: Row
  readonly positions: ListedMap<FeedPart, number>
}

/** What a turn makes of a row. */
export interface RowChange {
  readonly before: HeldRow | undefined
  /** Who brought all of it, as it stands; null if not all came so, or over several sessions: origins say it for each part. */
  by: SpaceSession | null
  /** All of it, where one write has brought it; else null. */
  news: Row | null
}

/** An update of a body, and who brought it: that one is not told of it. */
export interface TurnText {
  readonly by: SpaceSession
  readonly text: SpaceCommit['texts'][number]
}

/** Plain fields: there is a turn for every write of who waits for each. */
export interface Turn {
  readonly standing: Standing
  /** That of its commit, if a row changes. */
  readonly position: number
  readonly rows: Map<DocumentKey, TurnRow>
  readonly changes: Map<DocumentKey, RowChange>
  readonly texts: TurnText[]
  readonly writers: Map<WriterId, WriterRecord>
  readonly facts: Generation[]
  peers: ReadonlyMap<StoreId, PeerState>
  frontier: Positions
  readonly answers: Map<SpaceSession, TurnAnswer>
}

export function createTurn(standing: Standing): Turn {
  return {
    standing,
    position: standing.position + 1,
    rows: new Map(),
    changes: new Map(),
    texts: [],
    writers: new Map(),
    facts: [...standing.unstored],
    peers: standing.record.peers,
    frontier: standing.frontier,
    answers: new Map(),
  }
}

/** Whether it has something for everybody beside rows: the frontier's entries of other relays. */
export function hasOtherNews({ facts, peers }: Turn): boolean {
  return facts.length > 0 || peers.size > 0
}

/**
 * Whether it must be on disk. How far a pull is and what a peer holds is as true a step earlier, so where nothing else
 * changed it waits for the next commit; else relays would answer each other's commits with commits.
 */
export function isToStore({ rows, writers, facts }: Turn): boolean {
  return rows.size + writers.size + facts.length > 0
}

export function answerOf({ answers }: Turn, session: SpaceSession): TurnAnswer {
  let answer = answers.get(session)
  if (answer === undefined) {
    answer = { judging: null, submits: false, exceptions: [], gives: false, refused: [] }
    answers.set(session, answer)
  }
  return answer
}

/** As of this turn. */
export function rowOf({ rows }: Turn, key: DocumentKey, reads: TurnReads): HeldRow | undefined {
  return rows.get(key) ?? reads.row(key)
}

/** As of this turn. */
export function writerOf({ writers }: Turn, id: WriterId, reads: TurnReads): WriterRecord | undefined {
  return writers.get(id) ?? reads.writer(id)
}

/** A row becomes what it was judged to be, by what a session brought of it. */
export function takeRow(
  turn: Turn,
  key: DocumentKey,
  taken: TakenRow,
  brought: Row,
  session: SpaceSession,
  reads: TurnReads,
): void {
  const { position, rows, texts } = turn
  const before = rowOf(turn, key, reads)
  if (before?.row === taken.row && taken.updates.length === 0) return
  const changed = changedParts(before?.row, taken.row, brought)
  noteChange(turn, session, key, before, taken, brought, changed)
  const positions = rows.get(key)?.positions ?? copyListed(before?.positions ?? noPlaces)
  for (let i = 0; i < changed.length; i++) positions.set(changed[i] as FeedPart, position)
  rows.set(key, { row: taken.row, position, positions, texts: taken.texts })
  for (let i = 0; i < taken.updates.length; i++) {
    const { part, update } = taken.updates[i] as TakenRow['updates'][number]
    // A body may grow although its cell stands, when the cell came before it.
    positions.set(part, position)
    texts.push({ by: session, text: { key, part, update } })
  }
}

/** The same of a row whose change is one cell, which stands as it was brought. */
export function takeCell(
  turn: Turn,
  key: DocumentKey,
  before: HeldRow,
  row: Row,
  brought: Row,
  session: SpaceSession,
): void {
  const { position, rows, changes } = turn
  const part = keysOf(brought.cells)[0] as PartName
  const earlier = changes.get(key)
  if (earlier === undefined) changes.set(key, { before, by: session, news: brought })
  else if (earlier.by === session) earlier.news = null
  else noteMore(turn, session, key, earlier, { row, brought, parts: [part] })
  const held = rows.get(key)
  if (held !== undefined) {
    held.row = row
    held.positions.set(part, position)
  } else {
    const positions = copyListed(before.positions).set(part, position)
    rows.set(key, { row, position, positions, texts: before.texts })
  }
}

/** As a rule one session brings of a row what stands as it came; who brought the parts of others is noted at once. */
function noteChange(
  turn: Turn,
  session: SpaceSession,
  key: DocumentKey,
  before: HeldRow | undefined,
  { row, updates }: TakenRow,
  brought: Row,
  parts: readonly FeedPart[],
): void {
  const { changes } = turn
  const isAlone = (updates.length === 0 || areOf(updates, parts)) && cameAsItStands(row, brought, parts)
  const earlier = changes.get(key)
  if (earlier === undefined) {
    const isAll = isAlone && updates.length === 0 && parts.length === countParts(brought)
    changes.set(key, { before, by: isAlone ? session : null, news: isAll ? brought : null })
    if (!isAlone) noteOrigins(turn.standing.origins, session, key, { row, brought, parts })
  } else if (isAlone && earlier.by === session) earlier.news = null
  else noteMore(turn, session, key, earlier, { row, brought, parts })
  if (isAlone || updates.length === 0) return
  const grown = updates.map(({ part }) => part).filter(part => !parts.includes(part))
  forgetOriginsOf(turn.standing.origins, key, grown)
}

/** What several brought of a row, or not as it stands. */
function noteMore(
  turn: Turn,
  session: SpaceSession,
  key: DocumentKey,
  earlier: RowChange,
  change: Parameters<typeof noteOrigins>[3],
): void {
  earlier.news = null
  noteOriginsOfChange(turn, key, earlier)
  earlier.by = null
  noteOrigins(turn.standing.origins, session, key, change)
}

function areOf(updates: TakenRow['updates'], parts: readonly FeedPart[]): boolean {
  return updates.every(({ part }) => parts.includes(part))
}

/** What of a turn came over one session alone is noted once it is on disk, if somebody has not heard of it by then. */
export function noteOriginsOfTurn(turn: Turn): void {
  for (const [key, change] of turn.changes) noteOriginsOfChange(turn, key, change)
}

function noteOriginsOfChange({ standing, position, rows }: Turn, key: DocumentKey, { by }: RowChange): void {
  const held = rows.get(key)
  if (by === null || held === undefined) return
  const parts: FeedPart[] = []
  held.positions.forEach((at, part) => {
    if (at === position) parts.push(part)
  })
  noteOrigins(standing.origins, by, key, { row: held.row, brought: held.row, parts })
}

export function rememberWriter({ writers }: Turn, record: WriterRecord): void {
  writers.set(record.writer, record)
}

export function learnFacts({ standing, facts }: Turn, told: readonly Generation[]): void {
  facts.push(...learnGenerations(standing.generations, told))
}

/** How far the pull from a peer is, and, at its cut, what the peer holds. */
export function notePulled(turn: Turn, peer: StoreId, state: PeerState, joined: Positions): void {
  if (turn.peers.get(peer) !== state) turn.peers = copyMap(turn.peers).set(peer, state)
  turn.frontier = joinPositions(turn.standing.generations, turn.frontier, joined)
}

/** Its commit, or null if nothing changed. */
export function commitOf(turn: Turn): SpaceCommit | null {
  const { standing, position, rows, changes, texts, writers, facts, peers, frontier } = turn
  const { name, generation, generations, record } = standing
  if (!isToStore(turn) && frontier === standing.frontier && peers === record.peers) return null
  let { fingerprint } = record
  rows.forEach((held, key) => {
    fingerprint = replaceHeldInFingerprint(fingerprint, changes.get(key)?.before, held)
  })
  const moves = rows.size > 0
  return {
    space: name,
    record: {
      position: moves ? position : record.position,
      fingerprint,
      frontier: moves ? addPosition(generations, frontier, generation, position) : frontier,
      generation,
      peers,
    },
    rows,
    texts: texts.map(({ text }) => text),
    writers: [...writers.values()],
    generations: facts,
  }
}

/** What a transaction brought of each row: looked for row by row, thousands would be looked at thousands of times. */
export function broughtByKey(
  writes: readonly { readonly key: DocumentKey; readonly delta: Row }[],
): ReadonlyMap<DocumentKey, Row> {
  const brought = new Map<DocumentKey, Row>()
  for (const { key, delta } of writes) {
    const before = brought.get(key)
    brought.set(key, before === undefined ? delta : joinRows(before, delta))
  }
  return brought
}

const noPlaces: HeldRow['positions'] = new ListedMap([], [])

/** Nothing changes but parts of what was brought, as a rule all of them. */
function changedParts(before: Row | undefined, after: Row, brought: Row): readonly FeedPart[] {
  const names = keysOf(brought.cells)
  const hasDeletion = after.deletion !== (before?.deletion ?? null)
  const hasRevival = after.revival !== (before?.revival ?? null)
  let changed = 0
  for (let i = 0; i < names.length; i++) if (isChanged(before, after, names[i] as PartName)) changed += 1
  if (!hasDeletion && !hasRevival && changed === names.length) return names
  const parts: FeedPart[] = names.filter(name => isChanged(before, after, name))
  if (hasDeletion) parts.push('deletion')
  if (hasRevival) parts.push('revival')
  return parts
}

function isChanged(before: Row | undefined, after: Row, name: PartName): boolean {
  return before?.cells.get(name) !== after.cells.get(name)
}
