/**
 * A relay's pull of a peer's feed: the same verb as a client's, but what comes is joined into the relay's own rows
 * in the turn that stores the cursor with it (SPEC P1-P4, T3).
 */
import { bodyKey } from '../bodies.ts'
import type { ChangesFrame, Cut, TextFrame, WantFrame, WelcomeFrame } from '../frames.ts'
import {
  heldPosition,
  joinPositions,
  noPositions,
  type Generation,
  type GenerationId,
  type Positions,
} from '../generations.ts'
import type { HeldRow, PeerState } from '../relay-store.ts'
import { countParts, emptyRow, joinRows, type DocumentKey, type PartName } from '../row.ts'
import type { Pulled, PulledTexts } from './taking.ts'

export interface PulledTurn extends Pulled {
  readonly want: WantFrame | null
  /** At such a cut, when the peer tells it: to be compared with this relay's own, if the peer holds all of it (SPEC P5). */
  readonly cut: Cut | null
}

export interface PeerPull {
  /** The pull goes on where the peer says. */
  welcome(frame: WelcomeFrame): void
  changes(frame: ChangesFrame, row: (key: DocumentKey) => HeldRow | undefined): PulledTurn
  text(frame: TextFrame): PulledTurn
  /** The pull begins again at the start of the feed (SPEC P5). */
  restart(): void
  /** How much of a feed that ends at a position the peer has on disk, by what it told (SPEC A3). */
  held(generations: ReadonlyMap<GenerationId, Generation>, generation: GenerationId, position: number): number
}

export function createPeerPull(before: PeerState | null): PeerPull {
  const wants = new Set<DocumentKey>(before?.wants ?? [])
  const wantedTexts = new Map<string, DocumentKey>()
  let cursor = before?.cursor ?? null
  let frontier: Positions = noPositions
  let facts = new Map<GenerationId, Generation>()
  let told: Generation[] = []

  function note(generations: readonly Generation[]): void {
    for (const fact of generations) {
      if (facts.has(fact.id)) continue
      facts = new Map(facts).set(fact.id, fact)
      told.push(fact)
    }
  }

  function turn(
    { rows, writers, cut }: Pick<ChangesFrame, 'rows' | 'writers' | 'cut'>,
    texts: PulledTexts,
    want: WantFrame | null,
  ): PulledTurn {
    const outstanding = wants.size + wantedTexts.size > 0
    if (cut !== null)
      frontier = joinPositions(facts, frontier, new Map([...cut.frontier, [cut.generation, cut.position]]))
    if (cursor !== null && atCut && !outstanding) cursor = { ...cursor, cut: cursor.place }
    const news = told
    told = []
    return {
      rows,
      writers,
      peer: {
        cursor: cursor ?? { generation: '' as GenerationId, cut: 0, place: 0 },
        wants: [...wants, ...wantedTexts.values()],
      },
      joined: atCut && !outstanding ? frontier : noPositions,
      facts: news,
      texts,
      want,
      cut: outstanding ? null : cut,
    }
  }
  let atCut = false

  return {
    welcome(frame) {
      cursor = frame.cursor
      frontier = frame.frontier
      note(frame.generations)
    },
    changes(frame, row) {
      const keys: DocumentKey[] = []
      const bodies: { key: DocumentKey; part: PartName; stateVector: ReadonlyMap<number, number> }[] = []
      for (const { key, delta, parts, texts } of frame.rows) {
        if (frame.answer) wants.delete(key)
        const held = row(key)
        const mine = held?.row ?? emptyRow
        const lacksBody = [...texts].some(([part, { kind }]) => kind === 'tail' && !mine.cells.has(part))
        if (parts > 0 && !wants.has(key) && (lacksBody || countParts(joinRows(mine, delta)) < parts)) {
          wants.add(key)
          keys.push(key)
        }
        for (const [part, text] of texts) {
          if (text.kind !== 'head') continue
          wantedTexts.set(bodyKey(key, part), key)
          bodies.push({ key, part, stateVector: held?.texts.get(part)?.stateVector ?? new Map() })
        }
      }
      if (frame.cut !== null) note(frame.cut.generations)
      if (!frame.answer && cursor !== null) {
        cursor = { ...cursor, place: frame.place }
        atCut = frame.cut !== null
      }
      const want: WantFrame | null =
        keys.length + bodies.length > 0 ? { type: 'want', keys, texts: bodies, writers: [] } : null
      return turn(frame, [], want)
    },
    text(frame) {
      if (!frame.more) wantedTexts.delete(bodyKey(frame.key, frame.part))
      return turn({ rows: [], writers: [], cut: null }, [frame], null)
    },
    restart() {
      if (cursor !== null) cursor = { ...cursor, cut: 0, place: 0 }
      atCut = false
    },
    held: (generations, generation, position) =>
      heldPosition(new Map([...generations, ...facts]), frontier, generation, position),
  }
}
