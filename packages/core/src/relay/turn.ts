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
import type { TakenRow } from '../judge/texts.ts'
import { copyMap } from '../map-copy.ts'
import type { WriterId } from '../mark.ts'
import type { FeedPart, HeldRow, PeerState, SpaceCommit } from '../relay-store.ts'
import { emptyRow, joinRows, type DocumentKey, type Row } from '../row.ts'
import { noteOrigins } from './origins.ts'
import type { SpaceSession, TurnReads } from './space-session.ts'
import type { Standing } from './standing.ts'

/** What a session hears when the turn is on disk. */
export interface TurnAnswer {
  submits: boolean
  readonly exceptions: VerdictException[]
  gives: boolean
  readonly refused: { readonly key: DocumentKey; readonly error: Failure }[]
}

export interface Turn {
  /** That of its commit, if a row changes. */
  readonly position: number
  readonly rows: ReadonlyMap<DocumentKey, HeldRow>
  readonly texts: SpaceCommit['texts']
  readonly writers: ReadonlyMap<WriterId, WriterRecord>
  readonly facts: readonly Generation[]
  /** Whether it has something for everybody beside rows: the frontier's entries of other relays. */
  hasNews(): boolean
  readonly answers: ReadonlyMap<SpaceSession, TurnAnswer>
  answerOf(session: SpaceSession): TurnAnswer
  /** As of this turn. */
  row(key: DocumentKey, reads: TurnReads): HeldRow | undefined
  writer(id: WriterId, reads: TurnReads): WriterRecord | undefined
  /** A row becomes what it was judged to be, by what a session brought of it. */
  take(key: DocumentKey, taken: TakenRow, brought: Row, session: SpaceSession, reads: TurnReads): void
  remember(record: WriterRecord): void
  learn(facts: readonly Generation[]): void
  /** How far the pull from a peer is, and, at its cut, what the peer holds. */
  pulledFrom(peer: StoreId, state: PeerState, joined: Positions): void
  /**
   * Whether it must be on disk. How far a pull is and what a peer holds is as true a step earlier, so where nothing else
   * changed it waits for the next commit; else relays would answer each other's commits with commits.
   */
  isToStore(): boolean
  /** The commit, or null if nothing changed. */
  commit(): SpaceCommit | null
}

export function createTurn(standing: Standing): Turn {
  const position = standing.position + 1
  const rows = new Map<DocumentKey, HeldRow>()
  const rowsBefore = new Map<DocumentKey, HeldRow | undefined>()
  const texts: SpaceCommit['texts'][number][] = []
  const writers = new Map<WriterId, WriterRecord>()
  const facts = [...standing.unstored]
  const peers = new Map(standing.record.peers)
  const answers = new Map<SpaceSession, TurnAnswer>()
  let frontier = standing.frontier

  const row = (key: DocumentKey, reads: TurnReads): HeldRow | undefined => rows.get(key) ?? reads.row(key)

  function hasChanges(): boolean {
    const { record } = standing
    return (
      rows.size + writers.size + facts.length > 0 ||
      frontier !== standing.frontier ||
      [...peers].some(([id, peer]) => record.peers.get(id) !== peer)
    )
  }

  return {
    position,
    rows,
    texts,
    writers,
    facts,
    hasNews: () => facts.length > 0 || peers.size > 0,
    isToStore: () => rows.size + writers.size + facts.length > 0,
    answers,
    answerOf(session) {
      let answer = answers.get(session)
      if (answer === undefined) {
        answer = { submits: false, exceptions: [], gives: false, refused: [] }
        answers.set(session, answer)
      }
      return answer
    },
    row,
    writer: (id, reads) => writers.get(id) ?? reads.writer(id),
    take(key, taken, brought, session, reads) {
      const before = row(key, reads)
      if (before?.row === taken.row && taken.updates.length === 0) return
      if (!rowsBefore.has(key)) rowsBefore.set(key, before)
      const changed = changedParts(before?.row, taken.row)
      noteOrigins(standing.origins, session, key, { row: taken.row, brought, parts: changed })
      const positions: Map<FeedPart, number> = before === undefined ? new Map() : copyMap(before.positions)
      for (const part of changed) positions.set(part, position)
      // A body may grow although its cell stands, when the cell came before it.
      for (const { part } of taken.updates) positions.set(part, position)
      rows.set(key, { row: taken.row, position, positions, texts: taken.texts })
      for (const { part, update } of taken.updates) texts.push({ key, part, update })
    },
    remember: record => void writers.set(record.writer, record),
    learn: told => void facts.push(...learnGenerations(standing.generations, told)),
    pulledFrom(peer, state, joined) {
      peers.set(peer, state)
      frontier = joinPositions(standing.generations, frontier, joined)
    },
    commit() {
      if (!hasChanges()) return null
      const { name, generation, generations, record } = standing
      let { fingerprint } = record
      for (const [key, held] of rows)
        fingerprint = replaceHeldInFingerprint(fingerprint, rowsBefore.get(key), held)
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
        texts,
        writers: [...writers.values()],
        generations: facts,
      }
    },
  }
}

/** What a session brought of one row. */
export function broughtOf(
  key: DocumentKey,
  writes: readonly { readonly key: DocumentKey; readonly delta: Row }[],
): Row {
  const [first] = writes
  if (writes.length === 1 && first?.key === key) return first.delta
  return writes
    .filter(write => write.key === key)
    .map(write => write.delta)
    .reduce(joinRows, emptyRow)
}

function changedParts(before: Row | undefined, after: Row): readonly FeedPart[] {
  const parts: FeedPart[] = []
  for (const [name, cell] of after.cells) if (before?.cells.get(name) !== cell) parts.push(name)
  if (after.deletion !== (before?.deletion ?? null)) parts.push('deletion')
  if (after.revival !== (before?.revival ?? null)) parts.push('revival')
  return parts
}
