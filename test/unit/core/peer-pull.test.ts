// What a relay makes of a peer's feed: what it asks for, what it takes in meanwhile, and how far its pull is then.
import {
  createPeerPull,
  documentKey,
  type ChangesFrame,
  type GenerationId,
  type HeldRow,
  type PeerPull,
  type PeerState,
  type PulledTurn,
  type StoreId,
  type TextFrame,
  type TextPart,
} from '@rejoin/core'
import { expect, test } from 'vitest'
import { body, bytesOf, color, deltaOf, markOf } from './edits.ts'
import { welcomeFrom } from './welcomes.ts'

const peer = 'peer' as StoreId
const generation = 'generation' as GenerationId
const key = documentKey('notes', 'n')
const nothingHeld = (): HeldRow | undefined => undefined
const head: TextPart = { kind: 'head', head: { stateVector: new Map(), digest: '', bytes: 100_000 } }

function pullOf(before: PeerState | null = null): PeerPull {
  const pull = createPeerPull(before)
  pull.welcome(
    welcomeFrom(peer, generation, {
      begin: 'resume',
      cursor: before?.cursor ?? { generation, cut: 0, place: 0 },
      frontier: new Map([[generation, 9]]),
      user: 'peer',
    }),
  )
  return pull
}

/** A row whose text one more hand typed in, at a cut. */
function changes(
  place: number,
  text: TextPart,
  { answer = false, parts = 0, hand = 'alice' } = {},
): ChangesFrame {
  const typed = deltaOf({ kind: 'type' }, undefined, markOf(hand, 500)).cells
  const painted = deltaOf({ kind: 'color', value: 'red' }, undefined, markOf('bob', 400)).cells
  const delta = { cells: new Map([...painted, ...typed]), deletion: null, revival: null }
  const cut = { generation, position: place, frontier: new Map(), generations: [], fingerprint: null }
  const row = { key, delta, parts, texts: new Map([[body, text]]) }
  return { type: 'changes', rows: [row], place, head: place, cut: answer ? null : cut, answer, writers: [] }
}

function textFrame(update: string, more = false): TextFrame {
  return { type: 'text', key, part: body, update: bytesOf(update), more }
}

function partsIn({ rows }: PulledTurn): readonly string[] {
  return rows.flatMap(({ delta }) => [...delta.cells.keys()])
}

function updatesIn({ texts }: PulledTurn): readonly string[] {
  return texts.map(({ update }) => new TextDecoder().decode(update))
}

test('[X3] a relay takes a cell of a text with its whole body, and says only then that it has it', () => {
  const pull = pullOf()
  const first = pull.changes(changes(7, head), nothingHeld)
  expect(first.want).toMatchObject({ keys: [], texts: [{ key, part: body }] })
  expect(partsIn(first)).toEqual([color])
  expect([first.peer.wants, first.joined.size]).toEqual([[key], 0])
  // What is typed on meanwhile is part of the text that waits.
  expect(partsIn(pull.changes(changes(8, { kind: 'tail', updates: [bytesOf('3')] }), nothingHeld))).toEqual([
    color,
  ])
  expect(updatesIn(pull.text(textFrame('1', true)))).toEqual([])
  const last = pull.text(textFrame('2'))
  expect([partsIn(last), updatesIn(last)]).toEqual([[body], ['1', '2', '3']])
  expect([last.peer, last.joined.get(generation)]).toEqual([
    { cursor: { generation, cut: 8, place: 8 }, wants: [] },
    9,
  ])
})

test('[X3] of a body of which two heads came a relay waits for both answers, since the first may be older', () => {
  const pull = pullOf()
  pull.changes(changes(7, head), nothingHeld)
  pull.changes(changes(8, head, { hand: 'carol' }), nothingHeld)
  const first = pull.text(textFrame('1'))
  expect([partsIn(first), first.peer.wants, first.joined.size]).toEqual([[], [key], 0])
  const second = pull.text(textFrame('2'))
  expect([partsIn(second), updatesIn(second), second.peer.wants]).toEqual([[body], ['1', '2'], []])
})

test('[P4] what an earlier session had asked for is asked for again, and what is typed on meanwhile waits for it', () => {
  const before = { cursor: { generation, cut: 3, place: 7 }, wants: [key] }
  const pull = pullOf(before)
  const typed = pull.changes(changes(8, { kind: 'tail', updates: [bytesOf('2')] }, { parts: 2 }), nothingHeld)
  expect([typed.want, partsIn(typed), typed.peer.wants]).toEqual([null, [color], [key]])
  const answer = changes(8, { kind: 'tail', updates: [bytesOf('1')] }, { answer: true })
  const whole = pull.changes(answer, nothingHeld)
  expect(partsIn(whole)).toEqual([color, body])
  expect([updatesIn(whole), whole.peer.wants]).toEqual([['1', '2'], []])
})
