/**
 * What was asked for and has not come (SPEC P4, L2, X6): rows whole, what is missing of bodies, and who writers are.
 *
 * Rows and bodies are remembered with every chunk, and asked for again in the next session (P4); until all have come,
 * nothing is joined that would say they are here (P3).
 */
import { bodyKey } from '../bodies.ts'
import type { TextFrame, TextHead } from '../frames.ts'
import type { WriterId } from '../mark.ts'
import type { DocumentKey, PartName } from '../row.ts'
import type { Conversation } from './conversation.ts'

export interface Wants {
  readonly isEmpty: boolean
  readonly hasRows: boolean
  /** Rows that are asked for, or of which a body is. */
  outstanding(): readonly DocumentKey[]
  /** Asks for rows whole, but for those that are asked for already. */
  rows(keys: Iterable<DocumentKey>): void
  /** Asks once more for what was asked for before the last session ended. */
  again(): void
  /** A row came whole. */
  rowCame(key: DocumentKey): void
  /** Of a body only the head came: what is here of it is measured, then what is missing is asked for. */
  body(key: DocumentKey, part: PartName, head: TextHead): void
  /** What is here of a body: all of it, or what is missing is asked for. */
  measured(key: DocumentKey, part: PartName, stateVector: ReadonlyMap<number, number>, digest: string): void
  textCame(frame: TextFrame): void
  /** K3: asks who wrote the sides of conflicts, once for each writer. */
  writersOf(keys: readonly DocumentKey[]): void
}

/** How many rows one frame asks for: their names alone must fit. */
const keysPerFrameMax = 4096

export function createWants(conversation: Conversation): Wants {
  const { state } = conversation
  let rows = new Set<DocumentKey>()
  const bodies = new Map<string, { readonly key: DocumentKey; readonly digest: string }>()
  const askedWriters = new Set<WriterId>()

  function send(keys: readonly DocumentKey[]): void {
    for (let from = 0; from < keys.length; from += keysPerFrameMax) {
      const some = keys.slice(from, from + keysPerFrameMax)
      conversation.send({ type: 'want', keys: some, texts: [], writers: [] })
    }
  }

  return {
    get isEmpty() {
      return rows.size === 0 && bodies.size === 0
    },
    get hasRows() {
      return rows.size > 0
    },
    outstanding: () => [...new Set([...rows, ...[...bodies.values()].map(({ key }) => key)])],
    rows(keys) {
      const asked = [...keys].filter(key => !rows.has(key))
      for (const key of asked) rows.add(key)
      send([...new Set(asked)])
    },
    again() {
      // Also what was asked of other relays: this one may have it, and it is asked of those all the same.
      rows = new Set(state.wants)
      send([...rows])
    },
    rowCame: key => void rows.delete(key),
    body(key, part, { digest }) {
      bodies.set(bodyKey(key, part), { key, digest })
      conversation.ask({ kind: 'measure', key, part })
    },
    measured(key, part, stateVector, digest) {
      const wanted = bodies.get(bodyKey(key, part))
      if (wanted === undefined) return
      if (digest === wanted.digest) bodies.delete(bodyKey(key, part))
      else conversation.send({ type: 'want', keys: [], texts: [{ key, part, stateVector }], writers: [] })
    },
    textCame({ key, part, more }) {
      if (!more) bodies.delete(bodyKey(key, part))
    },
    writersOf(keys) {
      const unknown = new Set<WriterId>()
      for (const key of keys) {
        for (const cell of state.confirmed(key)?.cells.values() ?? []) {
          if (cell.strategy !== 'ask' || cell.siblings.length < 2) continue
          for (const { mark } of cell.siblings)
            if (!state.writers.has(mark.writer) && !askedWriters.has(mark.writer)) unknown.add(mark.writer)
        }
      }
      for (const writer of unknown) askedWriters.add(writer)
      if (unknown.size > 0) conversation.send({ type: 'want', keys: [], texts: [], writers: [...unknown] })
    },
  }
}
