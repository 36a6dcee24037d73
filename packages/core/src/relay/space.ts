/**
 * A relay's side of one space: judging, the feed, and what subscribers are told (SPEC A1, F1, F2, P2, Q1, T4).
 *
 * It works in turns. A turn takes frames in, against rows that were loaded for it; it becomes one commit; when that is
 * on disk, `committed` moves the space on and says what to send: verdicts first, then the change to everybody whose
 * pull is at the cut before. If the commit fails, the turn is dropped and nothing was said.
 */
import type { Failure } from '../errors.ts'
import type { Fingerprint } from '../fingerprint.ts'
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
import type { Generation, GenerationId, Positions, StoreId } from '../generations.ts'
import type { FeedRow, LoadedSpace, PeerState, SpaceCommit, SpaceRecord } from '../relay-store.ts'
import type { PartName } from '../row.ts'
import { createForwarding } from './forwarding.ts'
import { beginningOf, sessionOf, welcomeOf } from './hello.ts'
import { needsOf, type Needs } from './needs.ts'
import { createOrigins } from './origins.ts'
import type { Caller, Delivery, SpaceSession, TurnReads } from './space-session.ts'
import { createStanding, type Lead, type SpaceOptions } from './standing.ts'
import { takeGive, takePulled, takeSubmit, type Pulled } from './taking.ts'
import { createTurn, type Turn } from './turn.ts'

export interface RelaySpace {
  readonly name: string
  readonly position: number
  readonly fingerprint: Fingerprint
  readonly sessions: ReadonlySet<SpaceSession>
  readonly cursors: ReadonlyMap<StoreId, PeerState>
  readonly frontier: Positions
  readonly generations: ReadonlyMap<GenerationId, Generation>
  /** What hellos are told of who judges. Set when a follower meets its leader. */
  lead: Lead
  /** Answers a hello; the session's walk begins when its reconciling has ended. */
  hello(
    frame: HelloFrame,
    caller: Caller,
    now: number,
  ): { readonly session: SpaceSession; readonly welcome: WelcomeFrame }
  leave(session: SpaceSession): void
  /** Puts this opening's generation into the turn, if no commit has it yet: it is on disk before anybody is told of it. */
  openLineage(): void
  /** Keys and writers that must be loaded before a frame is taken in. */
  needs(frame: Frame): Needs
  submit(session: SpaceSession, frame: SubmitFrame, reads: TurnReads, now: number): void
  goOn(session: SpaceSession, frame: GoOnFrame): void
  give(session: SpaceSession, frame: GiveFrame, reads: TurnReads, now: number): void
  /** What a peer's feed brought (SPEC T3: judged by size only), and how far the pull of it is now. */
  pulled(session: SpaceSession, pulled: Pulled, reads: TurnReads, now: number): Failure | null
  /** The turn's commit, or null if nothing changed that must be on disk. */
  draft(): SpaceCommit | null
  /** The draft is on disk: moves on, and says what to send. */
  committed(): readonly Delivery[]
  /** Nothing of the draft is on disk: the turn is dropped, and nothing of it was said. */
  failed(): void
  /** One row as a session needs it after its cut; null if nothing of it is new to it. */
  changedRow(session: SpaceSession, row: FeedRow, texts: ReadonlyMap<PartName, TextPart>): ChangedRow | null
  /** The parts of a row that a session lacks; used to know which bodies to load. */
  textsToSend(session: SpaceSession, row: FeedRow): readonly PartName[]
  /** The session's pull is at the end of the feed. */
  cutFor(session: SpaceSession, fingerprint: boolean): Cut
}

export function createRelaySpace(options: SpaceOptions, loaded: LoadedSpace): RelaySpace {
  const standing = createStanding(options, loaded)
  const { name, screen, generations } = standing
  const origins = createOrigins()
  const { deliveries, changedRow, textsToSend, cutFor } = createForwarding(standing, origins)
  const sessions = new Set<SpaceSession>()
  let sessionCount = 0
  let turn: Turn | null = null
  let next: SpaceRecord | null = null

  function begin(): Turn {
    turn ??= createTurn(standing, origins)
    return turn
  }

  return {
    name,
    get position() {
      return standing.position
    },
    get fingerprint() {
      return standing.record.fingerprint
    },
    get cursors() {
      return standing.record.peers
    },
    get frontier() {
      return standing.frontier
    },
    get lead() {
      return standing.lead
    },
    set lead(lead) {
      standing.lead = lead
    },
    generations,
    sessions,
    hello(frame, caller, now) {
      const beginning = beginningOf(standing, frame)
      const session = sessionOf(standing, frame, caller, beginning, ++sessionCount)
      sessions.add(session)
      return { session, welcome: welcomeOf(standing, frame, caller, beginning, now) }
    },
    leave: session => void sessions.delete(session),
    openLineage: () => {
      if (standing.unstored.length > 0) begin()
    },
    needs: needsOf,
    submit: (session, frame, reads, now) => takeSubmit({ turn: begin(), reads, screen, now }, session, frame),
    goOn(session, frame) {
      session.round = frame.round
      session.skipping = false
    },
    give: (session, frame, reads, now) => takeGive({ turn: begin(), reads, screen, now }, session, frame),
    pulled: (session, pulled, reads, now) =>
      takePulled({ turn: begin(), reads, screen, now }, session, pulled),
    draft() {
      const commit = turn?.commit() ?? null
      next = commit?.record ?? null
      return turn?.isToStore === true ? commit : null
    },
    committed() {
      if (turn === null) return []
      const done = turn
      const { record } = standing
      turn = null
      standing.moveOn(next ?? record)
      const moved = {
        position: standing.position > record.position,
        frontier: standing.record.frontier !== record.frontier,
      }
      return deliveries(done, sessions, moved)
    },
    failed() {
      if (turn === null) return
      standing.keep(turn.facts)
      turn = null
    },
    changedRow,
    textsToSend,
    cutFor,
  }
}
