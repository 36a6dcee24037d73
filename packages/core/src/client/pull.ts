/**
 * Pulling: what comes of the relay's feed, stored in one chunk with the place that it reaches (SPEC P1-P4).
 *
 * The cursor's cut and the relay's frontier move only at a cut with nothing outstanding. The reach goes ahead with
 * every frame, to the end of the feed as of then, since a page may end within a commit.
 */
import type { Fingerprint } from '../fingerprint.ts'
import type { ChangedRow, ChangesFrame, Cut, TextFrame, WelcomeFrame } from '../frames.ts'
import { addPosition, coversPositions, joinPositions, type Cursor, type Positions } from '../generations.ts'
import { bringsNothing } from '../replica/brings-nothing.ts'
import { countParts, emptyRow, joinRows, type DocumentKey } from '../row.ts'
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
  begin(frame: WelcomeFrame): void
  /** Of a join: the cut at which it began, unless the pull had come somewhere. */
  beginAt(cursor: Cursor): Cursor
  /** The feed goes at least as far as a commit of which the relay told. */
  hear(position: number): void
  /** A verdict says that its commit brought nothing but what was submitted. */
  follow(position: number): void
  /** Asks for a chunk of these frames. False if it would change nothing: then it is not stored. */
  store(frames: readonly (ChangesFrame | TextFrame)[]): boolean
  /** What must be the fingerprint after the last chunk (SPEC P5), told once; null if nothing must. */
  takeExpected(): Fingerprint | null
  /** K3: a conflict that the last chunk brought shows who wrote its sides. */
  wantWriters(): void
}

export function createPull(
  conversation: Conversation,
  wants: Wants,
  onAnswer: (row: ChangedRow) => void,
): Pull {
  const { state, facts } = conversation
  let frontier: Positions = new Map()
  let cursor: Cursor | null = null
  let atCut = false
  let heard = 0
  let everLevel = false
  let storedKeys: readonly DocumentKey[] = []
  let expected: Fingerprint | null = null

  /** P4: rows of which only parts came and that this replica lacks; X6: bodies of which only the head came. */
  function wantWhatIsMissing(rows: readonly ChangedRow[]): void {
    const keys: DocumentKey[] = []
    for (const { key, delta, parts, texts } of rows) {
      const held = state.confirmed(key) ?? emptyRow
      const lacksBody = [...texts].some(([part, { kind }]) => kind === 'tail' && !held.cells.has(part))
      if (parts > 0 && (lacksBody || countParts(joinRows(held, delta)) < parts)) keys.push(key)
      for (const [part, text] of texts) if (text.kind === 'head') wants.body(key, part, text.head)
    }
    wants.rows(keys)
  }

  function reachWith(frames: readonly ChangesFrame[]): Positions {
    const head = Math.max(0, ...frames.map(frame => frame.head))
    return head === 0 ? state.reach : addPosition(facts(), state.reach, conversation.generation, head)
  }

  /** Answers are out of turn: the feed's own frames alone say how far the pull has come. */
  function moveWith(last: ChangesFrame | undefined, cut: Cut | null): void {
    if (last === undefined || cursor === null) return
    const { generation } = conversation
    cursor = { generation, cut: cursor.cut, place: last.place }
    atCut = last.cut !== null
    if (cut === null) return
    frontier = joinPositions(facts(), frontier, new Map([...cut.frontier, [generation, cut.position]]))
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
      const { welcome, generation } = conversation
      return Math.max(frontier.get(generation) ?? 0, heard, welcome?.cursor.cut ?? 0)
    },
    get isLevel() {
      return everLevel && atCut && wants.isEmpty
    },
    begin(frame) {
      frontier = frame.frontier
      if (frame.begin !== 'join') cursor = frame.cursor
    },
    beginAt: at => (cursor ??= at),
    hear(position) {
      heard = Math.max(heard, position)
    },
    follow(position) {
      if (cursor === null || !atCut || wants.hasRows) return
      const { generation } = conversation
      cursor = { generation, cut: position, place: position }
      frontier = addPosition(facts(), frontier, generation, position)
    },
    store(all) {
      const frames = all.filter(frame => frame.type === 'changes')
      const texts = all.filter(frame => frame.type === 'text')
      const rows = frames.flatMap(frame => frame.rows)
      for (const text of texts) wants.textCame(text)
      for (const row of frames.flatMap(frame => (frame.answer ? frame.rows : []))) {
        wants.rowCame(row.key)
        onAnswer(row)
      }
      wantWhatIsMissing(rows)
      const cut = frames.findLast(frame => frame.cut !== null)?.cut ?? null
      if (cut !== null) conversation.learn(cut.generations)
      let reach = reachWith(frames)
      const last = frames.findLast(frame => !frame.answer)
      moveWith(last, cut)
      const isOpen = conversation.phase === 'open'
      // P3: with something outstanding the relay's frontier says more than what is here.
      const isLevel = isOpen && atCut && cursor !== null && wants.isEmpty
      if (isLevel && cursor !== null) {
        cursor = { ...cursor, cut: cursor.place }
        everLevel = true
        if (coversPositions(facts(), frontier, reach)) reach = new Map([[cursor.generation, cursor.place]])
      }
      storedKeys = rows.map(row => row.key)
      expected = isLevel ? (cut?.fingerprint ?? null) : null
      const chunk = conversation.pulled({
        rows,
        texts: texts.map(({ key, part, update }) => ({ key, part, update })),
        writers: frames.flatMap(frame => frame.writers),
        cursor: isOpen ? cursor : null,
        wants: wants.outstanding(),
        frontier: isLevel ? { positions: frontier, how: 'join' } : null,
        reach,
      })
      if (bringsNothing(chunk, state)) return false
      conversation.append(chunk, 'relaxed')
      return true
    },
    takeExpected() {
      const told = expected
      expected = null
      return told
    },
    wantWriters() {
      wants.writersOf(storedKeys)
      storedKeys = []
    },
  }
}
