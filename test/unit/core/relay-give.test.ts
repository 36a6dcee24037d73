// What a relay makes of rows that come back to it in several frames.
import {
  createRelaySpace,
  documentKey,
  failure,
  limits,
  type Frame,
  type GenerationId,
  type GiveFrame,
  type HeldRow,
  type ScreenText,
  type StoreId,
} from '@rejoin/core'
import { helloWith } from '@rejoin/testkit'
import { expect, test } from 'vitest'
import { body, bytesOf, deltaOf, markOf } from './edits.ts'

const store = 'store' as StoreId
const generation = 'generation' as GenerationId
const invalid = failure('text-invalid', { reason: 'it is' })
const key = documentKey('notes', 'n')
const row = deltaOf({ kind: 'type' }, undefined, markOf('bob', 500))
const empty = { cells: new Map(), deletion: null, revival: null }

/** Gives one frame after the other; says what is answered and what was committed. */
function gives(
  screen: ScreenText,
  ...frames: readonly GiveFrame['rows'][]
): { readonly answers: readonly Frame[]; readonly rows: ReadonlyMap<string, HeldRow> } {
  const space = createRelaySpace(
    { name: 'space', store, generation, screen, lead: { leader: store, levels: ['relay'] } },
    { record: null, generations: [] },
  )
  const { session } = space.hello(
    helloWith({ token: '', replica: 'replica' as StoreId, device: 'd', empty: false }),
    { user: 'alice', mayWrite: true, rule: () => null },
    1000,
  )
  const rows = new Map<string, HeldRow>()
  const answers = frames.flatMap(given => {
    const reads = { row: (of: string) => rows.get(of), writer: () => undefined }
    space.give(session, { type: 'give', rows: given, last: false }, reads, 1000)
    for (const [of, held] of space.draft()?.rows ?? []) rows.set(of, held)
    return space.committed(new Map([[session, null]])).map(({ frame }) => frame)
  })
  return { answers, rows }
}

test('[X3] a row whose body was refused is refused with it, since its cell says that the body is there', () => {
  const texts = new Map([[body, [bytesOf('update')]]])
  const refusing: ScreenText = () => ({ ok: false, error: invalid })
  const { answers, rows } = gives(
    refusing,
    [{ key, row: empty, texts }],
    [{ key, row, texts: new Map() }],
    [{ key, row: deltaOf({ kind: 'color', value: 'red' }, undefined, markOf('bob', 600)), texts: new Map() }],
  )
  const refused = answers.map(frame => (frame.type === 'given' ? frame.refused : null))
  expect(refused).toEqual([[], [{ key, error: invalid }], []])
  expect([...rows.keys()]).toEqual([key])
})

/** Takes every update for the next of one Yjs client. */
const taking: ScreenText = (update, { known }) => ({
  ok: true,
  value: { update, stateVector: new Map([[1, (known.get(1) ?? 0) + 1]]), isNew: true },
})
const part = { key, row: empty, texts: new Map([[body, [bytesOf('one'), bytesOf('two')]]]) }

test('[X3] a body that comes ahead of its row is taken with it', () => {
  const { answers, rows } = gives(taking, [part], [part, { key, row, texts: new Map() }])
  expect(answers).toMatchObject([
    { type: 'given', count: 1, position: 0, refused: [] },
    { type: 'given', count: 3, position: 1, refused: [] },
  ])
  expect(rows.get(key)?.texts.get(body)?.stateVector).toEqual(new Map([[1, 4]]))
})

test('[X3] a body whose row is refused, or never comes, is not taken', () => {
  const other = { key: documentKey('notes', 'm'), row, texts: new Map() }
  const late = { key, row: deltaOf({ kind: 'type' }, undefined, markOf('bob', 10_000_000)), texts: new Map() }
  expect(gives(taking, [part], [other]).rows.get(key)).toBeUndefined()
  const { answers, rows } = gives(taking, [part], [late], [{ key, row, texts: new Map() }])
  expect(answers[1]).toMatchObject({ refused: [{ key, error: { code: 'clock-skew' } }] })
  // Nor is the row without it, in which its cell would say that the body is here.
  expect(answers[2]).toMatchObject({ refused: [{ key, error: { code: 'text-invalid' } }] })
  expect(rows.size).toBe(0)
})

test('[F4] no more of a body is held than a text may have', () => {
  const half = { key, row: empty, texts: new Map([[body, [new Uint8Array(limits.textBytesMax / 2)]]]) }
  const { answers, rows } = gives(taking, [half], [half], [{ key, row, texts: new Map() }])
  expect(answers[2]).toMatchObject({ refused: [{ key, error: { code: 'limit-exceeded' } }] })
  expect(rows.size).toBe(0)
})

test('[F4, T3] relays tell each other a text that they joined beyond its bound, which can be made shorter and not longer', () => {
  const deleting = bytesOf('d')
  const screen: ScreenText = (update, options) =>
    update === deleting
      ? { ok: true, value: { update, stateVector: new Map(), isNew: true } }
      : taking(update, options)
  const space = createRelaySpace(
    { name: 'space', store, generation, screen, lead: { leader: store, levels: ['relay'] } },
    { record: null, generations: [] },
  )
  const rows = new Map<string, HeldRow>()
  const reads = { row: (of: string) => rows.get(of), writer: () => undefined }
  const caller = { user: 'alice', mayWrite: true, rule: () => null }
  const greet = (role: 'client' | 'peer') =>
    space.hello(helloWith({ role, empty: false }), caller, 1000).session
  const [client, peer] = [greet('client'), greet('peer')]
  const sessions = new Map([
    [client, null],
    [peer, null],
  ])
  const commit = (): readonly Frame[] => {
    for (const [of, held] of space.draft()?.rows ?? []) rows.set(of, held)
    return space.committed(sessions).map(({ frame }) => frame)
  }
  const cursor = { generation, cut: 0, place: 0 }
  const half = new Uint8Array(limits.textBytesMax / 2 + 1)
  for (const writer of ['bob', 'carol']) {
    const delta = deltaOf({ kind: 'type' }, undefined, markOf(writer, 500))
    const texts = new Map([[body, { kind: 'tail', updates: [half] } as const]])
    const pulled = { rows: [{ key, delta, parts: 0, texts }], writers: [], facts: [], texts: [] }
    expect(
      space.pulled(peer, { ...pulled, peer: { cursor, wants: [] }, joined: new Map() }, reads, 1000),
    ).toBeNull()
    commit()
  }
  const types = (update: Uint8Array, ms: number): readonly Frame[] => {
    const mark = markOf('alice', ms)
    const delta = deltaOf({ kind: 'type' }, undefined, mark)
    const write = { mark, key, delta, texts: new Map([[body, [update]]]), replaced: new Map(), whole: false }
    const transactions = [{ writes: [write], preconditions: [] }]
    space.submit(client, { type: 'submit', round: 0, transactions }, reads, 1000)
    return commit()
  }
  expect(types(deleting, 600)).toMatchObject([{ type: 'verdict', exceptions: [] }])
  expect(types(bytesOf('more'), 700)).toMatchObject([
    { exceptions: [{ kind: 'refused', error: { code: 'limit-exceeded' } }] },
  ])
})

test('[P2] who brought a text is sent what its body grew by over another session, though its cell stands', () => {
  const space = createRelaySpace(
    { name: 'space', store, generation, screen: taking, lead: { leader: store, levels: ['relay'] } },
    { record: null, generations: [] },
  )
  const rows = new Map<string, HeldRow>()
  const reads = { row: (of: string) => rows.get(of), writer: () => undefined }
  const caller = { user: 'alice', mayWrite: true, rule: () => null }
  const greet = (role: 'client' | 'peer') =>
    space.hello(helloWith({ role, empty: false }), caller, 1000).session
  const [client, peer] = [greet('client'), greet('peer')]
  const sent = (): readonly string[] => {
    for (const [of, held] of space.draft()?.rows ?? []) rows.set(of, held)
    space.committed(new Map([[client, null]]))
    const held = rows.get(key)
    return held === undefined ? [] : space.textsToSend(client, { key, held })
  }
  space.give(client, { type: 'give', rows: [{ ...part, row }], last: false }, reads, 1000)
  expect(sent()).toEqual([])
  const pulled = { rows: [], writers: [], facts: [], joined: new Map() }
  const cursor = { generation, cut: 0, place: 0 }
  const texts = [{ key, part: body, update: bytesOf('three') }]
  space.pulled(peer, { ...pulled, texts, peer: { cursor, wants: [] } }, reads, 1000)
  expect(sent()).toEqual([body])
})
