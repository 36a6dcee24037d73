/**
 * A relay's side of one space: judging, the feed, and what subscribers are told (SPEC A1, F1, F2, P2, Q1, T4).
 *
 * It works in turns. A turn takes frames in, against rows that were loaded for it; it becomes one commit; when that is
 * on disk, `committed` moves the space on and says what to send: the change to everybody whose pull is at the cut
 * before, and verdicts. If the commit fails, the turn is dropped and nothing was said.
 */
import type { Failure } from '../errors.ts'
import type {
  ChangedRow,
  Cut,
  Frame,
  GiveFrame,
  GoOnFrame,
  HelloFrame,
  SubmitFrame,
  TextPart,
  WelcomeFrame,
} from '../frames.ts'
import type { FeedRow, LoadedSpace, SpaceCommit, SpaceRecord } from '../relay-store.ts'
import type { PartName } from '../row.ts'
import { withMethods } from '../with-methods.ts'
import { changedRow, cutFor, deliveriesOf, textsToSend } from './forwarding.ts'
import { beginningOf, sessionOf, welcomeOf } from './hello.ts'
import { needsOf, type Needs } from './needs.ts'
import type { Caller, Delivery, Sessions, SpaceSession, TurnReads } from './space-session.ts'
import { forgetOrigins } from './origins.ts'
import { moveOn, standingOf, type Lead, type SpaceOptions, type Standing } from './standing.ts'
import { takeGive, takePulled, takeSubmit, type Pulled } from './taking.ts'
import { commitOf, createTurn, isToStore, noteOriginsOfTurn, type Turn } from './turn.ts'

/** Where it stands, and what it does. */
export interface RelaySpace extends Readonly<Standing> {
  /** What hellos are told of who judges. Set when a follower meets its leader. */
  lead: Lead
  /** Answers a hello; the session's walk begins when its reconciling has ended. */
  hello(
    frame: HelloFrame,
    caller: Caller,
    now: number,
  ): { readonly session: SpaceSession; readonly welcome: WelcomeFrame }
  /** Puts this opening's generation into the turn, if no commit has it yet: it is on disk before anybody is told of it. */
  openLineage(): void
  /** Keys and writers that must be loaded before frames are taken in. */
  needs(frames: Iterable<Frame>): Needs
  submit(session: SpaceSession, frame: SubmitFrame, reads: TurnReads, now: number): void
  goOn(session: SpaceSession, frame: GoOnFrame): void
  give(session: SpaceSession, frame: GiveFrame, reads: TurnReads, now: number): void
  /** What a peer's feed brought (SPEC T3: judged by size only), and how far the pull of it is now. */
  pulled(session: SpaceSession, pulled: Pulled, reads: TurnReads, now: number): Failure | null
  /** The turn's commit, or null if nothing changed that must be on disk. */
  draft(): SpaceCommit | null
  /** The draft is on disk: moves on, and says what to send to those who are there. */
  committed(sessions: Sessions): readonly Delivery[]
  /** Nothing of the draft is on disk: the turn is dropped, and nothing of it was said. */
  failed(): void
  /** One row as a session needs it after its cut; null if nothing of it is new to it. */
  changedRow(session: SpaceSession, row: FeedRow, texts: ReadonlyMap<PartName, TextPart>): ChangedRow | null
  /** The parts of a row that a session lacks; used to know which bodies to load. */
  textsToSend(session: SpaceSession, row: FeedRow): readonly PartName[]
  /** The session's pull is at the end of the feed. */
  cutFor(session: SpaceSession, fingerprint: boolean): Cut
}

interface SpaceState extends Standing {
  sessionCount: number
  turn: Turn | null
  /** That of the turn's commit. */
  next: SpaceRecord | null
}

type SpaceMethods = Omit<RelaySpace, keyof SpaceState>

// Shared by all spaces, as their prototype: they are many, and most of them idle.
const spaceMethods: SpaceMethods & ThisType<SpaceState> = {
  hello(frame, caller, now) {
    const beginning = beginningOf(this, frame)
    const session = sessionOf(this, frame, caller, beginning, ++this.sessionCount)
    return { session, welcome: welcomeOf(this, frame, caller, beginning, now) }
  },
  openLineage() {
    if (this.unstored.length > 0) turnOf(this)
  },
  needs: needsOf,
  submit(session, frame, reads, now) {
    takeSubmit({ turn: turnOf(this), reads, screen: this.screen, now }, session, frame)
  },
  goOn(session, frame) {
    session.round = frame.round
    session.skipping = false
  },
  give(session, frame, reads, now) {
    takeGive({ turn: turnOf(this), reads, screen: this.screen, now }, session, frame)
  },
  pulled(session, pulled, reads, now) {
    return takePulled({ turn: turnOf(this), reads, screen: this.screen, now }, session, pulled)
  },
  draft() {
    const { turn } = this
    const commit = turn === null ? null : commitOf(turn)
    this.next = commit?.record ?? null
    return turn !== null && isToStore(turn) ? commit : null
  },
  committed(sessions) {
    const { turn, record } = this
    if (turn === null) return []
    this.turn = null
    moveOn(this, this.next ?? record)
    const moved = {
      position: this.position > record.position,
      frontier: this.record.frontier !== record.frontier,
    }
    const deliveries = deliveriesOf(this, turn, sessions, moved)
    if (isHadByAll(this, sessions)) forgetOrigins(this.origins)
    else noteOriginsOfTurn(turn)
    return deliveries
  },
  failed() {
    if (this.turn !== null) this.unstored = this.turn.facts
    this.turn = null
  },
  changedRow(session, row, texts) {
    return changedRow(this, session, row, texts)
  },
  textsToSend(session, row) {
    return textsToSend(this, session, row)
  },
  cutFor(session, fingerprint) {
    return cutFor(this, session, fingerprint)
  },
}

export function createRelaySpace(options: SpaceOptions, loaded: LoadedSpace): RelaySpace {
  const state: SpaceState = { ...standingOf(options, loaded), sessionCount: 0, turn: null, next: null }
  return withMethods(state, spaceMethods)
}

function isHadByAll({ position }: SpaceState, sessions: Sessions): boolean {
  for (const { cut } of sessions.keys()) if (cut !== position) return false
  return true
}

function turnOf(space: SpaceState): Turn {
  space.turn ??= createTurn(space)
  return space.turn
}
