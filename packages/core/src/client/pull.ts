/**
 * Pulling: what comes of the relay's feed, stored in one chunk with the place that it reaches (SPEC P1-P4).
 *
 * The cursor's cut and the relay's frontier move only at a cut with nothing outstanding. The reach goes ahead with
 * every frame, to the end of the feed as of then, since a page may end within a commit.
 */
import type { Fingerprint } from '../fingerprint.ts'
import type { ChangedRow, ChangesFrame, TextFrame, WelcomeFrame } from '../frames.ts'
import {
  addPosition,
  coversPosition,
  coversPositions,
  heldPosition,
  joinPositions,
  noPositions,
  type Cursor,
  type GenerationId,
  type Positions,
} from '../generations.ts'
import { bringsNothing, maySayLater } from '../replica/brings-nothing.ts'
import { countParts, emptyRow, joinRows, showsDelta, type DocumentKey } from '../row.ts'
import type { Telling } from './told-elsewhere.ts'
import { createUnfinishedTexts, type FinishedTexts } from '../unfinished.ts'
import type { Conversation } from './conversation.ts'
import type { Wants } from './wants.ts'

export interface Pull {
  /** Where the pull is; ahead of what is stored by verdicts that moved it alone. Null until it is known. */
  readonly cursor: Cursor | null
  /** What the relay holds, as far as it told. */
  readonly frontier: Positions
  readonly atCut: boolean
  /** How far the relay's feed is known to go. */
  readonly feedEnd: number
  /** Whether it has been at a cut with everything that was asked for, and is at one. */
  readonly isLevel: boolean
  /** Whether another session's join took it back to an earlier place (SPEC S4). */
  readonly isTakenBack: boolean
  begin(frame: WelcomeFrame): void
  /**
   * S2: what holds nothing pulls all feeds anew: what others had deleted may come from this relay, which has not heard of
   * that. Asks for a chunk that says so, once, unless nothing else was pulled.
   */
  forgetOthers(): boolean
  /** Of a join: the cut at which it began, unless the pull had come somewhere. */
  beginAt(cursor: Cursor): Cursor
  /**
   * S4: the relay was given all that it lacked of this reach. Which of its commits that was compared with it does not
   * say, only that the next cut lies behind them: until then the reach stays as it is.
   */
  gave(reach: Positions): void
  /** A feed goes at least as far as a commit of which the relay told: its own, or that of the leader that judged. */
  hear(generation: GenerationId, position: number): void
  /** What was heard of the leader's feed in this session, where the relay follows one. */
  readonly judged: Positions
  /** Whether an acknowledgement is in a lineage of which the relay told (SPEC L2). */
  isHeld(ack: { readonly generation: GenerationId; readonly position: number }): boolean
  /** A verdict says that its commit brought nothing but what was submitted. Whether the pull is there now. */
  follow(position: number): boolean
  /** Asks for a chunk of these frames. False if it would change nothing, or only places: then it is not stored now. */
  store(frames: readonly (ChangesFrame | TextFrame)[]): boolean
  /** Stores what is complete, or that nothing is outstanding, where that was found out and did not come (SPEC X6). */
  settle(): boolean
  /** Time passed: places that moved alone are stored with the next step. */
  keepPlaces(): void
  /** What must be the fingerprint after the last chunk, at a cut that covers the reach (SPEC P5); told once, else null. */
  takeExpected(): Fingerprint | null
  /** Whether such a cut came too early: something was outstanding, or it did not cover the reach, and it does now. Told once. */
  takeMissedCut(): boolean
  /** The last chunk is on disk. */
  stored(): void
}

export function createPull(
  conversation: Conversation,
  wants: Wants,
  onAnswer: (row: ChangedRow) => void,
): Pull {
  const { state, facts, beside } = conversation
  const { elsewhere } = beside
  let frontier: Positions = new Map()
  let cursor: Cursor | null = null
  /** Up to where this session goes on from what is on the disk. */
  let kept = 0
  /** Whether it is to be said that nothing of other feeds is here. */
  let isAnew = false
  let atCut = false
  let heard = 0
  let judged: Positions = noPositions
  let given: Positions = noPositions
  let everLevel = false
  /** Whether nothing was here when this walk began: then nobody looks for each row that it brings. */
  let isFirstWalk = false
  const unfinished = createUnfinishedTexts()
  let expected: Fingerprint | null = null
  let missedCut: 'no' | 'yes' | 'due' = 'no'
  /** P3: places that moved alone are stored with what comes next, or when they are due. */
  let places: 'stored' | 'ahead' | 'due' = 'stored'

  /** P4: rows of which only parts came and that this replica lacks; X6: bodies of which only the head came. */
  function wantWhatIsMissing(rows: readonly ChangedRow[]): void {
    const keys: DocumentKey[] = []
    for (const { key, delta, parts, texts } of rows) {
      // Nearly all that comes is whole.
      if (parts === 0 && texts.size === 0) continue
      const confirmed = state.confirmed(key) ?? emptyRow
      // Nor does a part of a row lack anything that is here with as many: no join takes one away.
      if (texts.size === 0 && countParts(confirmed) >= parts) continue
      const held = joinRows(confirmed, unfinished.cellsOf(key))
      const lacksBody = [...texts].some(([part, { kind }]) => kind === 'tail' && !held.cells.has(part))
      if (parts > 0 && (lacksBody || countParts(joinRows(held, delta)) < parts)) keys.push(key)
      for (const [part, text] of texts) if (text.kind === 'head') wants.body(key, part, text.head)
    }
    if (keys.length > 0) wants.rows(keys)
  }

  /** What several relays send is stored once. What comes of a body is not compared. */
  function bringsNews({ key, delta, texts }: ChangedRow): boolean {
    return texts.size > 0 || !showsDelta(state.confirmed(key), delta)
  }

  function newsOf(rows: readonly ChangedRow[]): readonly ChangedRow[] {
    return isFirstWalk || rows.every(bringsNews) ? rows : rows.filter(bringsNews)
  }

  /** P4: a part of a row that this replica lacks shows nothing: the row is asked for, and comes whole with all that came since. */
  function isFragment({ key, parts }: ChangedRow): boolean {
    return parts > 0 && wants.isRowOutstanding(key) && state.confirmed(key) === undefined
  }

  /** X3: texts of rows of which something is outstanding are stored when nothing is. */
  function storable(frames: readonly ChangesFrame[], texts: readonly TextFrame[]): FinishedTexts {
    if (wants.isEmpty && !wants.hasDone)
      return { rows: newsOf(allOf(frames, frame => frame.rows)), texts: [] }
    const done = new Set(wants.takeDone())
    const isAsked = (key: DocumentKey): boolean => done.has(key) || wants.isOutstanding(key)
    for (const text of texts) if (isAsked(text.key)) unfinished.holdText(text)
    const rows = frames.flatMap(({ rows, answer }) => {
      const now = unfinished.hold(rows, isAsked, answer)
      return answer ? now : now.filter(row => !isFragment(row))
    })
    const finished = unfinished.take(done)
    return { rows: newsOf([...rows, ...finished.rows]), texts: finished.texts }
  }

  function answeredBy(rows: readonly ChangedRow[]): void {
    for (const row of rows) {
      wants.rowCame(row.key)
      onAnswer(row)
    }
  }

  /** Answers are out of turn: the feed's own frames alone say how far the pull has come. */
  function moveWith(frames: readonly ChangesFrame[]): void {
    const last = frames.findLast(frame => !frame.answer)
    if (last === undefined || cursor === null) return
    const { generation } = conversation
    cursor = { generation, cut: cursor.cut, place: last.place }
    atCut = last.cut !== null
    for (const { cut } of frames) {
      if (cut === null) continue
      const known = joinPositions(facts(), frontier, cut.frontier)
      frontier = addPosition(facts(), known, generation, cut.position)
    }
  }

  /** At a cut: what was given is that relay's now, and what others sent meanwhile is not, nor what its leader judged. */
  function withoutGiven(reach: Positions, at: Cursor): Positions {
    if (given.size === 0) return reach
    const had = elsewhere.withoutTold(facts(), given)
    const kept = [...reach].filter(
      ([id, position]) => id === at.generation || !coversPosition(facts(), had, id, position),
    )
    if (kept.length === reach.size) return reach
    const others = joinPositions(facts(), new Map(kept), judged)
    return addPosition(facts(), others, at.generation, at.place)
  }

  /** S4: by the cursor, or by the frontier, from which a session may have begun alone. */
  function isOnDisk(place: number): boolean {
    const { store, generation } = conversation
    const at = state.cursors.get(store)
    if (at !== undefined && (at.generation === generation ? at.place : at.cut) >= place) return true
    return heldPosition(facts(), state.frontier, generation, place) >= place
  }

  function feedEnd(): number {
    const { welcome, generation } = conversation
    return Math.max(frontier.get(generation) ?? 0, heard, welcome?.cursor.cut ?? 0)
  }

  function store(all: readonly (ChangesFrame | TextFrame)[]): boolean {
    const frames: ChangesFrame[] = []
    const texts: TextFrame[] = []
    let head = 0
    for (const frame of all) {
      if (frame.type === 'text') {
        texts.push(frame)
        wants.textCame(frame)
        continue
      }
      frames.push(frame)
      head = Math.max(head, frame.head)
    }
    const rows = allOf(frames, frame => frame.rows)
    // Nothing was told elsewhere where there is one relay.
    if (!elsewhere.isEmpty) for (const { key, delta } of rows) elsewhere.holds(key, delta)
    for (const { answer, rows } of frames) if (answer) answeredBy(rows)
    wantWhatIsMissing(rows)
    let fingerprint: Fingerprint | null = null
    // Each tells what is new since the one before.
    for (const { cut } of frames) {
      if (cut === null) continue
      ;({ fingerprint } = cut)
      conversation.learn(cut.generations)
      if (cut.frontier.size > 0) wants.strangersAgain()
    }
    let reach = head === 0 ? state.reach : addPosition(facts(), state.reach, conversation.generation, head)
    moveWith(frames)
    const isOpen = conversation.phase === 'open'
    // P3: with something outstanding the relay's frontier says more than what is here.
    const isLevel = isOpen && atCut && cursor !== null && wants.isEmpty
    let isCovered = false
    if (isLevel && cursor !== null) {
      cursor = { ...cursor, cut: cursor.place }
      everLevel = true
      reach = withoutGiven(reach, cursor)
      isCovered = coversPositions(facts(), frontier, reach)
      if (isCovered) reach = new Map([[cursor.generation, cursor.place]])
    }
    const news = storable(frames, texts)
    if (everLevel) isFirstWalk = false
    const told: Telling = {
      rows: news.rows,
      told: {
        at: state.seen + 1,
        generation: conversation.generation,
        position: Math.max(feedEnd(), head),
      },
    }
    expected = isCovered ? fingerprint : null
    if (fingerprint !== null) missedCut = isCovered ? 'no' : 'yes'
    else if (isCovered && missedCut === 'yes') missedCut = 'due'
    const chunk = conversation.pulled({
      ...news,
      writers: allOf(frames, frame => frame.writers),
      cursor: isOpen ? cursor : null,
      wants: wants.outstanding(),
      frontier: isLevel ? { positions: frontier, how: 'join' } : null,
      reach,
    })
    const isNothing = bringsNothing(chunk, state)
    const mayWait = !isNothing && places !== 'due' && maySayLater(chunk, state)
    places = mayWait ? 'ahead' : 'stored'
    if (isNothing || mayWait) return false
    conversation.append(chunk, 'relaxed', told)
    return true
  }

  return {
    get cursor() {
      return cursor
    },
    get frontier() {
      return frontier
    },
    get atCut() {
      return atCut
    },
    get feedEnd() {
      return feedEnd()
    },
    get judged() {
      return judged
    },
    isHeld({ generation, position }) {
      const own = new Map([[conversation.generation, feedEnd()]])
      return [own, judged, frontier].some(told => coversPosition(facts(), told, generation, position))
    },
    get isLevel() {
      return everLevel && atCut && wants.isEmpty
    },
    get isTakenBack() {
      return !isOnDisk(kept)
    },
    begin(frame) {
      frontier = frame.frontier
      if (frame.begin === 'join') return
      isAnew = frame.begin === 'new' && state.frontier.size > 0
      isFirstWalk = frame.begin === 'new' && state.size === 0
      ;({ cursor } = frame)
      kept = cursor.place
    },
    forgetOthers() {
      if (!isAnew) return false
      isAnew = false
      const frontier = { positions: noPositions, how: 'replace' } as const
      conversation.append(conversation.pulled({ frontier, wants: wants.outstanding() }), 'relaxed')
      return true
    },
    beginAt: at => (cursor ??= at),
    gave(reach) {
      given = joinPositions(facts(), given, reach)
    },
    hear(generation, position) {
      if (generation === conversation.generation) heard = Math.max(heard, position)
      else judged = addPosition(facts(), judged, generation, position)
    },
    follow(position) {
      if (cursor === null || !atCut || !wants.isEmpty) return false
      const { generation } = conversation
      cursor = { generation, cut: position, place: position }
      frontier = addPosition(facts(), frontier, generation, position)
      return true
    },
    store,
    settle() {
      if ((wants.hasDone || places === 'due') && store([])) return true
      const untold = state.wantsOf(conversation.store)
      return conversation.phase === 'open' && wants.isEmpty && untold.length > 0 && store([])
    },
    keepPlaces() {
      if (places === 'ahead') places = 'due'
    },
    takeExpected() {
      const told = expected
      expected = null
      return told
    },
    takeMissedCut() {
      if (missedCut !== 'due') return false
      missedCut = 'no'
      return true
    },
    stored() {
      if (cursor !== null && isOnDisk(cursor.place)) kept = cursor.place
    },
  }
}

/** What frames bring, one after the other: as a rule there is one. */
function allOf<T>(frames: readonly ChangesFrame[], of: (frame: ChangesFrame) => readonly T[]): readonly T[] {
  const [first] = frames
  return frames.length === 1 && first !== undefined ? of(first) : frames.flatMap(of)
}
