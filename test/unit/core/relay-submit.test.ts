// What a relay answers to what is submitted in one session, and what others are told of it.
import { limits, type SubmittedTransaction } from '@rejoin/core'
import { expect, test } from 'vitest'
import { markOf } from './edits.ts'
import { createRelayScene, insertOf, no } from './relay-scene.ts'

test('[L3] what follows a refusal is skipped, but for what shows already: it must not be made anew', () => {
  const relay = createRelayScene()
  const alice = relay.attach('client')
  const taken = insertOf('taken', 500)
  relay.submit(alice, taken)
  const answers = relay.submit(alice, insertOf('forbidden', 600), taken, insertOf('late', 700))
  expect(answers.map(({ frame }) => frame)).toMatchObject([
    {
      type: 'verdict',
      count: 4,
      exceptions: [
        { index: 1, kind: 'refused', write: 0, error: no },
        { index: 3, kind: 'skipped' },
      ],
    },
  ])
})

test('[F1] who is live is told of a commit in one frame, and of what one frame does not hold in pages', () => {
  const relay = createRelayScene()
  const alice = relay.attach('client')
  const others = [relay.attach('client'), relay.attach('peer')]
  for (const session of others) session.live = true
  const toldBy = (...transactions: readonly SubmittedTransaction[]) =>
    relay.submit(alice, ...transactions).filter(({ frame }) => frame.type === 'changes')

  expect(toldBy(insertOf('short', 500)).flatMap(({ sessions }) => sessions)).toEqual(others)
  const places = others.map(({ place }) => place)
  const long = Array.from({ length: 10 }, (_, i) => insertOf(`long ${i}`, 600, 'x'.repeat(200_000)))
  expect(toldBy(...long)).toEqual([])
  expect(others.map(({ live, place }) => ({ live, place }))).toEqual(
    places.map(place => ({ live: false, place })),
  )

  for (const session of others) session.live = true
  const many = Array.from({ length: limits.rowsPerFrameMax + 1 }, (_, i) => shortest(`${i}`))
  expect(toldBy(...many)).toEqual([])
  expect(others.map(({ live }) => live)).toEqual([false, false])
})

/** A document without a field. */
function shortest(id: string): SubmittedTransaction {
  const insert = insertOf(id, 700)
  const writes = insert.writes.map(write => ({ ...write, delta: { ...write.delta, cells: new Map() } }))
  return { ...insert, writes }
}

test('[A1] who waits for a change is told first, then its author hears the verdict, and what else came behind it', () => {
  const relay = createRelayScene()
  const [alice, bob] = [relay.attach('client'), relay.attach('client')]
  for (const session of [alice, bob]) session.live = true
  const told = (id: string): readonly unknown[] =>
    relay
      .submit(alice, insertOf(id, 500))
      .flatMap(({ sessions, frame }) => sessions.map(session => [session, frame.type]))
  // The first commit of an opening brings its lineage, also to who made it.
  const first = told('first')
  expect(first).toEqual([
    [bob, 'changes'],
    [alice, 'verdict'],
    [alice, 'changes'],
  ])
  const second = told('second')
  expect(second).toEqual([
    [bob, 'changes'],
    [alice, 'verdict'],
  ])
})

test('[T4] peers are told of a writer of whom a relay learns by a write that it had already, and clients are not', () => {
  const relay = createRelayScene()
  const alice = relay.attach('client')
  const given = insertOf('given', 500)
  relay.submit(alice, given)
  const [peer, bob] = [relay.attach('peer'), relay.attach('client')]
  peer.live = bob.live = true
  const told = relay.submit(alice, given).filter(({ frame }) => frame.type === 'changes')
  expect(told).toMatchObject([
    { sessions: [{ id: peer.id }], frame: { rows: [], writers: [{ user: 'alice' }] } },
  ])
})

test("[T4] another user's submit of what shows already raises nothing that is remembered of a writer", () => {
  const relay = createRelayScene()
  const [alice, mallory, peer] = [
    relay.attach('client'),
    relay.attach('client', 'mallory'),
    relay.attach('peer'),
  ]
  peer.live = true
  const own = insertOf('a', 500)
  relay.submit(alice, own)
  const mark = markOf('alice', 500)
  relay.writers.set(mark.writer, { writer: mark.writer, user: 'alice', device: 'd', highest: mark })
  const ahead = { ...own, writes: own.writes.map(write => ({ ...write, mark: markOf('alice', 900) })) }
  const typesTo = (session: typeof alice) => relay.submit(session, ahead).map(({ frame }) => frame.type)
  expect(typesTo(mallory)).toEqual(['verdict'])
  expect(typesTo(alice)).toEqual(['changes', 'verdict'])
})

test('[P2] who lags is not sent what it brought; once all have everything, nobody remembers who that was', () => {
  const relay = createRelayScene()
  const [alice, bob] = [relay.attach('client'), relay.attach('client')]
  bob.live = true
  relay.submit(alice, insertOf('early', 500))
  relay.submit(bob, insertOf('of bob', 600))
  expect(['early', 'of bob'].map(id => relay.sends(alice, id))).toEqual([false, true])

  alice.live = true
  relay.submit(alice, insertOf('late', 700))
  alice.cut = 0
  expect(['early', 'of bob', 'late'].map(id => relay.sends(alice, id))).toEqual([true, true, true])
})

test('[P2] who brought what stood there before is sent what another one brought since, also by several writes', () => {
  const relay = createRelayScene()
  const [alice, bob] = [relay.attach('client'), relay.attach('client')]
  for (const session of [alice, bob]) session.live = true
  // Somebody lags, so it is remembered who brought what.
  relay.attach('client')
  relay.submit(bob, insertOf('a', 500, 'blue'))
  const toBob = relay
    .submit(alice, insertOf('a', 600, 'red'), insertOf('a', 700, 'teal'))
    .flatMap(({ sessions, frame }) => (sessions.includes(bob) && frame.type === 'changes' ? frame.rows : []))
  expect(toBob.map(({ key }) => key)).toEqual(['notes/a'])
  expect(toBob.map(({ delta }) => delta.cells.size > 0)).toEqual([true])
})
