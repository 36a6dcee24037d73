// Of one text that two write in one turn each is told what the other wrote.
import {
  createRelaySpace,
  documentKey,
  type ChangesFrame,
  type GenerationId,
  type ScreenText,
  type SpaceSession,
  type StoreId,
} from '@rejoin/core'
import { helloWith } from '@rejoin/testkit'
import { expect, test } from 'vitest'
import { body, bytesOf, deltaOf, markOf } from './edits.ts'

const store = 'store' as StoreId
const generation = 'generation' as GenerationId
const key = documentKey('notes', 'n')

/** Takes every update, each for one of a Yjs client of its own. */
const taking: ScreenText = (update, { known }) => ({
  ok: true,
  value: { update, stateVector: new Map([...known, [known.size + 1, 1]]), isNew: true },
})

test('[F2] who writes in a text that another one writes in, in one turn, is not told of what it wrote itself', () => {
  const space = createRelaySpace(
    { name: 'space', store, generation, screen: taking, lead: { leader: store, levels: ['relay'] } },
    { record: null, generations: [] },
  )
  const attach = (replica: string): SpaceSession => {
    const hello = helloWith({ token: '', replica: replica as StoreId, device: 'd', empty: false })
    const { session } = space.hello(hello, { user: 'alice', mayWrite: true, rule: () => null }, 1000)
    session.live = true
    return session
  }
  const [a, b, reader] = [attach('a'), attach('b'), attach('reader')]
  const give = (session: SpaceSession, update: string, writer: string): void => {
    const row = deltaOf({ kind: 'type' }, undefined, markOf(writer, 500))
    const texts = new Map([[body, [bytesOf(update)]]])
    const reads = { row: () => undefined, writer: () => undefined }
    space.give(session, { type: 'give', rows: [{ key, row, texts }], last: false }, reads, 1000)
  }
  give(a, 'of a', 'ann')
  give(b, 'of b', 'bob')
  space.draft()
  const told = new Map<SpaceSession, readonly string[]>()
  for (const { sessions, frame } of space.committed(new Map([a, b, reader].map(one => [one, null]))))
    if (frame.type === 'changes') for (const session of sessions) told.set(session, updatesOf(frame))
  expect([a, b, reader].map(session => told.get(session))).toEqual([['of b'], ['of a'], ['of a', 'of b']])
})

function updatesOf({ rows }: ChangesFrame): readonly string[] {
  return rows
    .flatMap(({ texts }) => [...texts.values()])
    .flatMap(text => (text.kind === 'tail' ? text.updates : []))
    .map(update => new TextDecoder().decode(update))
}
