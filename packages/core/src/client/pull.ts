/**
 * Pulling: where a relay's feed is followed from, and how far it has come (SPEC P1-P4). What comes of it is stored in
 * pulled-chunk.ts.
 *
 * The cursor's cut and the relay's frontier move only at a cut with nothing outstanding. The reach goes ahead with
 * every frame, to the end of the feed as of then, since a page may end within a commit.
 */
import type { Fingerprint } from '../fingerprint.ts'
import type { ChangedRow, WelcomeFrame } from '../frames.ts'
import {
  addPosition,
  coversPosition,
  heldPosition,
  joinPositions,
  noPositions,
  type Cursor,
  type GenerationId,
  type Positions,
} from '../generations.ts'
import { createUnfinishedTexts, type UnfinishedTexts } from '../unfinished.ts'
import { append, factsOf, pulledChunk, type Conversation } from './conversation.ts'
import { isNothingWanted, outstandingOf, type Wants } from './wants.ts'

export interface Pull {
  readonly conversation: Conversation
  readonly wants: Wants
  /** A row came that was asked for. */
  readonly onAnswer: (row: ChangedRow) => void
  readonly unfinished: UnfinishedTexts
  /** Where the pull is; ahead of what is stored by verdicts that moved it alone. Null until it is known. */
  cursor: Cursor | null
  /** What the relay holds, as far as it told. */
  frontier: Positions
  atCut: boolean
  /** Whether it has been at a cut with everything that was asked for. */
  everLevel: boolean
  /** Up to where this session goes on from what is on the disk. */
  kept: number
  /** Whether it is to be said that nothing of other feeds is here. */
  isAnew: boolean
  /** Whether nothing was here when this walk began: then nobody looks for each row that it brings. */
  isFirstWalk: boolean
  /** How far the relay's feed was heard to go. */
  heard: number
  /** What was heard of the leader's feed in this session, where the relay follows one. */
  judged: Positions
  /** Of which reaches the relay was given all that it lacked. */
  given: Positions
  /** What must be the fingerprint after the last chunk, at a cut that covers the reach (SPEC P5); told once. */
  expected: Fingerprint | null
  /** Whether such a cut came too early: something was outstanding, or it did not cover the reach; and whether it does now. */
  missedCut: 'no' | 'yes' | 'due'
  /** P3: places that moved alone are stored with what comes next, or when they are due. */
  places: 'stored' | 'ahead' | 'due'
}

export function createPull(
  conversation: Conversation,
  wants: Wants,
  onAnswer: (row: ChangedRow) => void,
): Pull {
  return {
    conversation,
    wants,
    onAnswer,
    unfinished: createUnfinishedTexts(),
    cursor: null,
    frontier: noPositions,
    atCut: false,
    everLevel: false,
    kept: 0,
    isAnew: false,
    isFirstWalk: false,
    heard: 0,
    judged: noPositions,
    given: noPositions,
    expected: null,
    missedCut: 'no',
    places: 'stored',
  }
}

/** Where the relay's welcome says that this begins. */
export function beginPull(pull: Pull, frame: WelcomeFrame): void {
  const { state } = pull.conversation
  pull.frontier = frame.frontier
  if (frame.begin === 'join') return
  pull.isAnew = frame.begin === 'new' && state.frontier.size > 0
  pull.isFirstWalk = frame.begin === 'new' && state.size === 0
  pull.cursor = frame.cursor
  pull.kept = frame.cursor.place
}

/**
 * S2: what holds nothing pulls all feeds anew: what others had deleted may come from this relay, which has not heard of
 * that. Asks for a chunk that says so, once, unless nothing else was pulled.
 */
export function forgetOthers(pull: Pull): boolean {
  if (!pull.isAnew) return false
  pull.isAnew = false
  const { conversation, wants } = pull
  const frontier = { positions: noPositions, how: 'replace' } as const
  append(conversation, pulledChunk(conversation, { frontier, wants: outstandingOf(wants) }), 'relaxed')
  return true
}

/**
 * S4: the relay was given all that it lacked of this reach. Which of its commits that was compared with it does not
 * say, only that the next cut lies behind them: until then the reach stays as it is.
 */
export function noteGiven(pull: Pull, reach: Positions): void {
  pull.given = joinPositions(factsOf(pull.conversation), pull.given, reach)
}

/** A feed goes at least as far as a commit of which the relay told: its own, or that of the leader that judged. */
export function hearOf(pull: Pull, generation: GenerationId, position: number): void {
  const { conversation } = pull
  if (generation === conversation.generation) pull.heard = Math.max(pull.heard, position)
  else pull.judged = addPosition(factsOf(conversation), pull.judged, generation, position)
}

/** Whether something told, such as an acknowledgement, is in a lineage of which the relay told (SPEC L2). */
export function isHeldByRelay(
  pull: Pull,
  { generation, position }: { readonly generation: GenerationId; readonly position: number },
): boolean {
  const { conversation, judged, frontier } = pull
  const facts = factsOf(conversation)
  const own = new Map([[conversation.generation, feedEnd(pull)]])
  return [own, judged, frontier].some(told => coversPosition(facts, told, generation, position))
}

/** A verdict says that its commit brought nothing but what was submitted. Whether the pull is there now. */
export function followVerdict(pull: Pull, position: number): boolean {
  if (pull.cursor === null || !pull.atCut || !isNothingWanted(pull.wants)) return false
  const { generation } = pull.conversation
  pull.cursor = { generation, cut: position, place: position }
  pull.frontier = addPosition(factsOf(pull.conversation), pull.frontier, generation, position)
  return true
}

/** How far the relay's feed is known to go. */
export function feedEnd({ conversation, frontier, heard }: Pull): number {
  const { welcome, generation } = conversation
  return Math.max(frontier.get(generation) ?? 0, heard, welcome?.cursor.cut ?? 0)
}

/** Whether it has been at a cut with everything that was asked for, and is at one. */
export function isLevel({ everLevel, atCut, wants }: Pull): boolean {
  return everLevel && atCut && isNothingWanted(wants)
}

/** Whether another session's join took it back to an earlier place (SPEC S4). */
export function isTakenBack(pull: Pull): boolean {
  return !isOnDisk(pull, pull.kept)
}

/** Time passed: places that moved alone are stored with the next step. */
export function keepPlaces(pull: Pull): void {
  if (pull.places === 'ahead') pull.places = 'due'
}

/** What must be the fingerprint after the last chunk. Told once. */
export function takeExpected(pull: Pull): Fingerprint | null {
  const { expected } = pull
  pull.expected = null
  return expected
}

/** Whether a cut that was missed is to be asked for now. Told once. */
export function takeMissedCut(pull: Pull): boolean {
  if (pull.missedCut !== 'due') return false
  pull.missedCut = 'no'
  return true
}

/** The last chunk is on disk. */
export function pullStored(pull: Pull): void {
  const { cursor } = pull
  if (cursor !== null && isOnDisk(pull, cursor.place)) pull.kept = cursor.place
}

/** S4: by the cursor, or by the frontier, from which a session may have begun alone. */
function isOnDisk({ conversation }: Pull, place: number): boolean {
  const { store, generation, state } = conversation
  const at = state.cursors.get(store)
  if (at !== undefined && (at.generation === generation ? at.place : at.cut) >= place) return true
  return heldPosition(factsOf(conversation), state.frontier, generation, place) >= place
}
