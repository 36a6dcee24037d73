/**
 * A relay's pull of a peer's feed: the same verb as a client's, but what comes is joined into the relay's own rows
 * in the turn that stores the cursor with it (SPEC P1-P4, T3).
 */
import type {
  ChangedRow,
  ChangesFrame,
  Cut,
  TextFrame,
  WantedText,
  WantFrame,
  WelcomeFrame,
} from '../frames.ts'
import {
  heldPosition,
  joinPositions,
  noPositions,
  type Generation,
  type GenerationId,
  type Positions,
} from '../generations.ts'
import type { HeldRow, PeerState } from '../relay-store.ts'
import { countParts, emptyRow, joinRows, type DocumentKey } from '../row.ts'
import { createUnfinishedTexts } from '../unfinished.ts'
import { createPeerWants } from './peer-wants.ts'
import type { Pulled } from './taking.ts'

export interface PulledTurn extends Pulled {
  readonly want: WantFrame | null
  /** At such a cut, when the peer tells it: to be compared with this relay's own, if the peer holds all of it (SPEC P5). */
  readonly cut: Cut | null
}

export interface PeerPull {
  /** The pull goes on where the peer says. Gives back the rows that are to be asked for again (SPEC P4). */
  welcome(frame: WelcomeFrame): readonly DocumentKey[]
  changes(frame: ChangesFrame, row: (key: DocumentKey) => HeldRow | undefined): PulledTurn
  text(frame: TextFrame): PulledTurn
  /** The pull begins again at the start of the feed (SPEC P5). */
  restart(): void
  /** How much of a feed that ends at a position the peer has on disk, by what it told (SPEC A3). */
  held(generations: ReadonlyMap<GenerationId, Generation>, generation: GenerationId, position: number): number
}

export function createPeerPull(before: PeerState | null): PeerPull {
  const wants = createPeerWants(before?.wants ?? [])
  const unfinished = createUnfinishedTexts()
  let cursor = before?.cursor ?? null
  let atCut = false
  let frontier: Positions = noPositions
  const facts = new Map<GenerationId, Generation>()
  let told: Generation[] = []

  function note(generations: readonly Generation[]): void {
    for (const fact of generations) {
      if (facts.has(fact.id)) continue
      facts.set(fact.id, fact)
      told.push(fact)
    }
  }

  /** P4: rows of which only parts came and that this relay lacks; X6: bodies of which only the head came. */
  function wantWhatIsMissing(
    rows: readonly ChangedRow[],
    row: (key: DocumentKey) => HeldRow | undefined,
  ): WantFrame | null {
    const keys: DocumentKey[] = []
    const bodies: WantedText[] = []
    for (const { key, delta, parts, texts } of rows) {
      const held = row(key)
      const mine = joinRows(held?.row ?? emptyRow, unfinished.cellsOf(key))
      const lacksBody = [...texts].some(([part, { kind }]) => kind === 'tail' && !mine.cells.has(part))
      const lacks = parts > 0 && (lacksBody || countParts(joinRows(mine, delta)) < parts)
      if (lacks && wants.row(key)) keys.push(key)
      for (const [part, text] of texts) {
        if (text.kind !== 'head') continue
        wants.body(key, part)
        bodies.push({ key, part, stateVector: held?.texts.get(part)?.stateVector ?? new Map() })
      }
    }
    return keys.length + bodies.length > 0 ? { type: 'want', keys, texts: bodies, writers: [] } : null
  }

  /** X3: texts of rows of which something is outstanding are stored when nothing is. */
  function storable(
    rows: readonly ChangedRow[],
    areAnswers: boolean,
    text: TextFrame | null,
  ): Pick<Pulled, 'rows' | 'texts'> {
    const done = new Set(wants.takeDone())
    const isAsked = (key: DocumentKey): boolean => done.has(key) || wants.isOutstanding(key)
    if (text !== null && isAsked(text.key)) unfinished.holdText(text)
    const now = unfinished.hold(rows, isAsked, areAnswers)
    const finished = unfinished.take(done)
    return { rows: [...now, ...finished.rows], texts: finished.texts }
  }

  function turn(
    brought: Pick<Pulled, 'rows' | 'texts' | 'writers'>,
    cut: Cut | null,
    want: WantFrame | null,
  ): PulledTurn {
    const outstanding = wants.outstanding()
    const isLevel = atCut && outstanding.length === 0
    if (cut !== null)
      frontier = joinPositions(facts, frontier, new Map([...cut.frontier, [cut.generation, cut.position]]))
    if (cursor !== null && isLevel) cursor = { ...cursor, cut: cursor.place }
    const news = told
    told = []
    return {
      ...brought,
      peer: { cursor: cursor ?? { generation: '' as GenerationId, cut: 0, place: 0 }, wants: outstanding },
      joined: isLevel ? frontier : noPositions,
      facts: news,
      want,
      cut: outstanding.length > 0 ? null : cut,
    }
  }

  return {
    welcome(frame) {
      cursor = frame.cursor
      frontier = frame.frontier
      note(frame.generations)
      return wants.outstanding()
    },
    changes({ rows, writers, cut, answer, place }, row) {
      if (answer) for (const { key } of rows) wants.rowCame(key)
      const want = wantWhatIsMissing(rows, row)
      if (cut !== null) note(cut.generations)
      if (!answer && cursor !== null) {
        cursor = { ...cursor, place }
        atCut = cut !== null
      }
      return turn({ ...storable(rows, answer, null), writers }, cut, want)
    },
    text(frame) {
      wants.textCame(frame)
      return turn({ ...storable([], false, frame), writers: [] }, null, null)
    },
    restart() {
      if (cursor !== null) cursor = { ...cursor, cut: 0, place: 0 }
      atCut = false
    },
    held: (generations, generation, position) => heldPosition(generations, frontier, generation, position),
  }
}
