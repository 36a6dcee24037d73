// What a client makes of the feed that it pulls: what it has seen, and what it says of that.
import {
  alone,
  answerRanges,
  bodyKey,
  createGrapevine,
  createReplicaState,
  createRowIndex,
  documentKey,
  type Cell,
  type ChangesFrame,
  type Cut,
  type DocumentKey,
  type Frame,
  type Generation,
  type GenerationId,
  type Positions,
  type StoreId,
  type TextPart,
} from '@rejoin/core'
import { expect, test } from 'vitest'
import { body, deltaOf, markOf } from './edits.ts'
import { pulledChunk } from './chunks.ts'
import { comparedAt, generation, page, pulling, relay } from './pulling.ts'

test('[P3] rows of a page that ends within a commit are as new as the feed, and the reach says so', () => {
  const { state, receive } = pulling()
  receive(page(0, 7, 'a'))
  expect(state.reach).toEqual(new Map([[generation, 7]]))
  expect(state.cursors.get(relay)).toEqual({ generation, cut: 0, place: 0 })
  expect(state.frontier.size).toBe(0)
})

test('[W2] pages and the cut that have come behind each other are stored in one chunk', () => {
  const { state, receiveTogether } = pulling()
  const cut = { generation, position: 2, frontier: new Map(), generations: [], fingerprint: null }
  receiveTogether(page(1, 2, 'a'), page(2, 2, 'b'), { ...page(2, 2), cut })
  expect([state.seen, state.size]).toEqual([1, 2])
  expect(state.cursors.get(relay)).toEqual({ generation, cut: 2, place: 2 })
})

test('[W2] what follows may be nothing that is stored, and more than one chunk takes is not waited for', () => {
  const { state, receiveTogether } = pulling()
  receiveTogether(page(1, 8, 'a'), { type: 'credit', bytes: 1 })
  expect(state.seen).toBe(1)
  const pages = Array.from({ length: 6 }, (_, i) => page(2 + i, 8, `b${i}`))
  receiveTogether(...pages)
  expect([state.seen, state.size]).toEqual([3, 7])
})

test('[P3] of cuts that are stored together each tells what is new since the one before', () => {
  const { state, receiveAll } = pulling()
  const other = 'other' as GenerationId
  const cutAt = (
    position: number,
    frontier: Positions,
    generations: readonly Generation[],
  ): ChangesFrame => ({
    ...page(position, position),
    cut: { generation, position, frontier, generations, fingerprint: null },
  })
  const fact = { id: other, store: 'its store' as StoreId, parent: null, start: 0 }
  receiveAll(cutAt(1, new Map(), []), cutAt(1, new Map([[other, 5]]), [fact]), cutAt(2, new Map(), []))
  expect(state.frontier).toEqual(
    new Map([
      [generation, 2],
      [other, 5],
    ]),
  )
  expect(state.generations.get(other)).toEqual(fact)
})

test('[P1] a cut at which nothing is new asks for no chunk, and the next one that brings something does', () => {
  let now = 1000
  const { state, receive } = pulling(() => now)
  const cutAt = (position: number): ChangesFrame => ({
    ...page(position, position),
    cut: { generation, position, frontier: new Map(), generations: [], fingerprint: state.fingerprint },
  })
  receive(cutAt(7))
  expect(state.cursors.get(relay)).toEqual({ generation, cut: 7, place: 7 })
  const { seen } = state
  receive(cutAt(7))
  receive(page(7, 7))
  expect(state.seen).toBe(seen)
  receive({ ...cutAt(8), rows: page(8, 8, 'a').rows })
  expect(state.seen).toBe(seen + 1)
  // Forgetting counts by when what was stored (SPEC D2).
  now += 24 * 3_600_000
  receive(cutAt(8))
  receive(cutAt(8))
  expect(state.seen).toBe(seen + 2)
})

test('[P3] the cut behind pages is stored at once, since without it all of them would come again', () => {
  const { state, receive } = pulling()
  receive(page(4, 5, 'a'))
  expect(state.cursors.get(relay)).toEqual({ generation, cut: 0, place: 4 })
  const cut = { generation, position: 5, frontier: new Map(), generations: [], fingerprint: null }
  receive({ ...page(5, 5), cut })
  expect(state.cursors.get(relay)).toEqual({ generation, cut: 5, place: 5 })
})

test('[P3] places that move alone are stored with the rows that come next, or a little later, and once', () => {
  const { state, receive, heed } = pulling()
  const cutAt = (position: number, ...names: readonly string[]): ChangesFrame => ({
    ...page(position, position, ...names),
    cut: { generation, position, frontier: new Map(), generations: [], fingerprint: null },
  })
  receive(cutAt(1, 'a'))
  const { seen } = state
  receive(cutAt(2))
  receive(cutAt(3))
  expect(state.seen).toBe(seen)
  expect(state.cursors.get(relay)).toEqual({ generation, cut: 1, place: 1 })
  receive(cutAt(4, 'b'))
  expect(state.seen).toBe(seen + 1)
  expect(state.cursors.get(relay)).toEqual({ generation, cut: 4, place: 4 })
  receive(cutAt(5))
  heed()
  heed()
  expect(state.seen).toBe(seen + 2)
  expect(state.cursors.get(relay)).toEqual({ generation, cut: 5, place: 5 })
  expect(state.frontier).toEqual(new Map([[generation, 5]]))
  expect(state.reach).toEqual(new Map([[generation, 5]]))
})

test('[X6] a body that is here already is outstanding no more, and the disk knows it', () => {
  const { state, receive, measured } = pulling()
  const head = { stateVector: new Map(), digest: 'it', bytes: 100_000 }
  const [row] = page(7, 7, 'a').rows
  if (row === undefined) throw new Error('there is no row')
  receive({
    ...page(7, 7),
    rows: [{ ...row, texts: new Map([[body, { kind: 'head', head }]]) }],
    cut: { generation, position: 7, frontier: new Map(), generations: [], fingerprint: null },
  })
  expect(state.wants).toEqual([row.key])
  expect(state.frontier.size).toBe(0)
  expect(measured('it')).toEqual([])
  expect(state.wants).toEqual([])
  expect(state.cursors.get(relay)).toEqual({ generation, cut: 7, place: 7 })
  expect(state.frontier).toEqual(new Map([[generation, 7]]))
})

test('[S4] a join with a relay that lost something goes on from the earlier place, and does not take that for the join of another session', () => {
  const state = createReplicaState()
  const before = { generation: 'before' as GenerationId, cut: 7, place: 7 }
  state.apply(1, pulledChunk(relay, { rows: page(7, 7, 'a').rows, cursor: before }))
  const { receive } = pulling(() => 1000, 'join', state)
  receive({ type: 'range', ranges: [] })
  receive(page(1, 1, 'b'))
  expect(state.confirmed(documentKey('notes', 'b'))).toBeDefined()
})

test('[R1, P4] a join asks for no more rows at once than a relay answers and a chunk remembers, and ends when all have come', () => {
  const state = createReplicaState()
  const { greeting, receive } = pulling(() => 1000, 'join', state)
  const names = Array.from({ length: 30_000 }, (_, i) => `${i}`)
  const rows = new Map(page(1, 1, ...names).rows.map(row => [row.key, row] as const))
  const index = createRowIndex([...rows].map(([key, { delta }]) => [key, delta]))
  const waiting: DocumentKey[] = []
  let most = 0
  const answer = (frames: readonly Frame[]): void => {
    for (const frame of frames) {
      if (frame.type === 'want') waiting.push(...frame.keys)
      most = Math.max(most, waiting.length)
      if (frame.type !== 'range' || frame.ranges.length === 0) continue
      answer(receive({ type: 'range', ranges: answerRanges(index, frame.ranges) }))
    }
  }
  answer(greeting)
  while (waiting.length > 0) {
    const some = waiting.splice(0, 500).flatMap(key => rows.get(key) ?? [])
    answer(receive({ ...page(1, 1), rows: some, answer: true }))
  }
  expect(most).toBeLessThanOrEqual(16_384)
  expect([state.size, state.cursors.get(relay)?.cut]).toEqual([30_000, 0])
})

test.each([
  ['came before it began', 'never'],
  ['came before it ended, and not what came then, to where the reach was already', 'during'],
  ['came before it ended, and not what came later, to where the reach was already', 'after'],
])('[S4] of what another session pulls a join gives what %s', (_, late) => {
  const state = createReplicaState()
  const other = { id: 'other' as GenerationId, store: 'its store' as StoreId, parent: null, start: 0 }
  const pulled = { generations: [other], rows: page(7, 7, 'a').rows, reach: new Map([[other.id, 7]]) }
  state.apply(1, pulledChunk(other.store, { ...pulled, cursor: { generation: other.id, cut: 0, place: 3 } }))
  const begin = createGrapevine()
  const [elsewhere, beside] = [begin(), begin()]
  const one = pulling(() => 1000, 'join', state, 0, { ...alone, elsewhere })
  const { rows } = page(7, 7, 'b')
  const tell = (): void => beside.tell({ rows, told: { at: 2, generation: other.id, position: 7 } })
  if (late === 'during') tell()
  one.receive({ type: 'range', ranges: [] })
  if (late === 'after') tell()
  one.receive({ ...comparedAt(one, 9, 1), cut: { ...comparedAt(one, 9, 1).cut, fingerprint: null } as Cut })
  one.heed()
  one.heed()
  expect(state.reach.has(other.id)).toBe(late !== 'never')
})

test.each([undefined, { generation, cut: 2, place: 2 }])(
  '[S4] a session that began where the frontier was, with a cursor at %o, ends once the join of another one took that back',
  cursor => {
    const other = { id: 'other' as GenerationId, store: 'its store' as StoreId, parent: null, start: 0 }
    const state = createReplicaState()
    if (cursor !== undefined) state.apply(1, pulledChunk(relay, { cursor }))
    const joinWith = (how: 'join' | 'replace', positions: Positions): void => {
      const generations = [other, { id: generation, store: relay, parent: null, start: 0 }]
      const of = { generations, frontier: { positions, how } }
      state.apply(state.seen + 1, pulledChunk(other.store, of))
    }
    joinWith('join', new Map([[generation, 7]]))
    const { receive } = pulling(() => 1000, 'resume', state, 7)
    joinWith(
      'replace',
      new Map([
        [other.id, 3],
        [generation, 3],
      ]),
    )
    receive(page(8, 8, 'b'))
    expect(state.confirmed(documentKey('notes', 'b'))).toBeUndefined()
  },
)

test('[P4] what was outstanding is asked for again also by a session that begins with a join', () => {
  const state = createReplicaState()
  const [row] = page(1, 1, 'a').rows
  if (row === undefined) throw new Error('there is no row')
  const { key } = row
  state.apply(1, pulledChunk(relay, { rows: [row], wants: [key] }))
  const { greeting, receive } = pulling(() => 1000, 'join', state)
  expect(greeting).toContainEqual({ type: 'want', keys: [key], texts: [], writers: [] })
  receive({ type: 'range', ranges: [] })
  expect(state.wants).toEqual([key])
  receive({ ...page(1, 1, 'a'), answer: true })
  expect(state.wants).toEqual([])
})

test('[P4] a part of a row that is not here shows nothing; the row comes whole, and further parts join it', () => {
  const { state, receive } = pulling()
  const [row] = page(7, 7, 'a').rows
  if (row === undefined) throw new Error('there is no row')
  const parts = row.delta.cells.size + 1
  const [first, ...others] = [...row.delta.cells]
  const partOf = (...cells: readonly NonNullable<typeof first>[]): ChangesFrame['rows'] => [
    { ...row, parts, delta: { ...row.delta, cells: new Map(cells) } },
  ]
  const asked = receive({ ...page(7, 7), rows: partOf(...others) })
  expect(asked).toContainEqual({ type: 'want', keys: [row.key], texts: [], writers: [] })
  expect([state.visible(row.key), state.wants]).toEqual([undefined, [row.key]])
  receive({ ...page(7, 7), rows: [row], answer: true })
  expect([state.visible(row.key), state.wants]).toEqual([row.delta, []])
  receive({ ...page(8, 8), rows: partOf(...(first === undefined ? [] : [first])) })
  expect(state.visible(row.key)).toEqual(row.delta)
})

test('[P4] a relay is asked again for what it was asked for before it was known that it is one of the list', () => {
  const copies = { wanted: 1, level: 'quorum', all: 2, relays: ['ws://a', 'ws://b'] } as const
  const state = createReplicaState(copies)
  state.apply(1, pulledChunk(relay, { wants: [noteKey] }))
  state.apply(2, { kind: 'met', address: 'ws://a', store: 'its store' as StoreId, copies })
  expect(pulling(() => 1000, 'resume', state).greeting).toContainEqual(
    expect.objectContaining({ type: 'want', keys: [noteKey] }),
  )
})

test('[P4] what one relay is asked for another one that knows less does not answer; it is here once the frontier covers that feed', () => {
  const state = createReplicaState()
  pulling(() => 1000, 'new', state).receive(textPage(7, 1, tailOf(2), 2))
  expect(state.wants).toEqual([noteKey])
  const other = { id: 'other' as GenerationId, store: 'its store' as StoreId, parent: null, start: 0 }
  const pulledFromOther = (frontier: Positions): void => {
    state.apply(
      state.seen + 1,
      pulledChunk(other.store, {
        rows: page(3, 3, 'a').rows,
        cursor: { generation: other.id, cut: 3, place: 3 },
        generations: [other],
        frontier: { positions: frontier, how: 'join' },
        at: 1000,
      }),
    )
  }
  pulledFromOther(new Map([[other.id, 3]]))
  const { greeting } = pulling(() => 1000, 'resume', state)
  expect(greeting).toContainEqual({ type: 'want', keys: [noteKey], texts: [], writers: [] })
  pulledFromOther(new Map([[generation, 7]]))
  expect(state.wants).toEqual([])
})

test('[P1] of two sessions one stores nothing for what the other one has asked for, since each would take back what the other says', () => {
  const state = createReplicaState({ wanted: 2, level: 'quorum', all: 2 })
  const { receive } = pulling(() => 1000, 'new', state)
  const [store, other] = ['its store' as StoreId, 'other' as GenerationId]
  const fact = { id: other, store, parent: null, start: 0 }
  const frontier = new Map([[other, 3]])
  const cut = { generation, position: 7, frontier, generations: [fact], fingerprint: null }
  receive({ ...page(7, 7), cut })
  state.apply(
    state.seen + 1,
    pulledChunk(store, { wants: [documentKey('notes', 'a')], reach: new Map([[other, 3]]), at: 1000 }),
  )
  const { seen } = state
  receive({ type: 'heartbeat', position: 7, time: 1000 })
  expect(state.seen).toBe(seen)
})

function textFrame(update: number, more = false): Frame {
  return { type: 'text', key: noteKey, part: body, update: Uint8Array.of(update), more }
}

const noteKey = documentKey('notes', 'a')
const bodyName = bodyKey(noteKey, body)

/** A text of the row that `page` makes, by one more of its writers for each serial. */
function textPage(place: number, serial: number, text: TextPart, parts: number): ChangesFrame {
  const delta = deltaOf({ kind: 'type' }, undefined, markOf(`hand ${serial}`, 500, serial))
  const row = { key: noteKey, delta, parts, texts: new Map([[body, text]]) }
  return { ...page(place, place), rows: [row] }
}

function textBy(...serials: readonly number[]): Cell {
  const marks = serials.map(serial => markOf(`hand ${serial}`, 500, serial))
  return { strategy: 'text', context: new Map(marks.map(mark => [mark.writer, mark])) }
}

function headOf(digest: string): TextPart {
  return { kind: 'head', head: { stateVector: new Map(), digest, bytes: 100_000 } }
}

function tailOf(update: number): TextPart {
  return { kind: 'tail', updates: [Uint8Array.of(update)] }
}

test('[X3] a cell of a text is stored with its whole body, since it would say that all of it is here', () => {
  const { state, receive, measured } = pulling()
  const [row] = page(7, 7, 'a').rows
  const [text] = textPage(7, 1, headOf('it'), 2).rows
  if (row === undefined || text === undefined) throw new Error('there is no row')
  const cells = new Map([...row.delta.cells, ...text.delta.cells])
  receive({ ...page(7, 7), rows: [{ ...text, delta: { ...row.delta, cells }, parts: 0 }] })
  measured('')
  receive(textFrame(1, true))
  receive(textPage(8, 2, tailOf(3), 2))
  // A session that ended here would leave a row that says nothing of its text, and that is asked for again.
  expect(state.confirmed(noteKey)).toEqual(row.delta)
  expect(state.bodies.updatesOf(bodyName)).toEqual([])
  expect(state.wants).toEqual([noteKey])
  receive(textFrame(2))
  expect(state.confirmed(noteKey)?.cells.get(body)).toEqual(textBy(1, 2))
  expect(state.bodies.updatesOf(bodyName)).toEqual([1, 2, 3].map(update => Uint8Array.of(update)))
  expect(state.wants).toEqual([])
})

test('[X3] what is typed on while its row is asked for waits for the row, and is lost with the session', () => {
  const state = createReplicaState()
  const first = pulling(() => 1000, 'new', state)
  first.receive(textPage(1, 1, tailOf(1), 0))
  first.receive(textPage(7, 2, headOf('it'), 1))
  const known = state.confirmed(noteKey)
  const next = pulling(() => 1000, 'resume', state)
  expect(next.greeting).toContainEqual({ type: 'want', keys: [noteKey], texts: [], writers: [] })
  next.receive(textPage(8, 3, tailOf(3), 1))
  expect(state.confirmed(noteKey)).toEqual(known)
  expect(state.bodies.updatesOf(bodyName)).toEqual([Uint8Array.of(1)])
  next.receive({ ...textPage(8, 2, tailOf(2), 0), answer: true })
  expect(state.confirmed(noteKey)?.cells.get(body)).toEqual(textBy(1, 2, 3))
  expect(state.bodies.updatesOf(bodyName)).toEqual([1, 2, 3].map(update => Uint8Array.of(update)))
})

test('[X3] a body of which two heads came is complete with the second answer, since the first may be older', () => {
  const { state, receive, measured } = pulling()
  receive(textPage(1, 1, headOf('one'), 0))
  measured('')
  receive(textPage(2, 2, headOf('two'), 1))
  measured('')
  receive(textFrame(1))
  expect(state.confirmed(noteKey)).toBeUndefined()
  receive(textFrame(2))
  expect(state.confirmed(noteKey)?.cells.get(body)).toEqual(textBy(1, 2))
  expect(state.wants).toEqual([])
})
