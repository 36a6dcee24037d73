/** Which documents hold what no relay has, and what is not on this disk, as an application sees it. */
import { failure, type Chunk, type StoreId } from '@rejoin/core'
import { expect, test } from 'vitest'
import { openReplica } from './notes-surface.ts'

test('a document is pending from its first write until a relay has its last', () => {
  const { collections, core } = openReplica()
  const { notes } = collections
  expect(notes.pending.get()).toEqual(new Set())
  const a = notes.insert({ title: 'a' })
  const b = notes.insert({ title: 'b' })
  notes.update(a.id, { color: 'teal' })
  expect(notes.pending.get()).toEqual(new Set([a.id, b.id]))
  const [insert, other, update] = core.transactions.map(({ id }) => id)
  core.store()
  core.acknowledge(insert as never, other as never)
  core.tick()
  expect(notes.pending.get()).toEqual(new Set([a.id]))
  core.acknowledge(update as never)
  core.tick()
  expect(notes.pending.get()).toEqual(new Set())
})

test('who listens is told when documents become pending and when they are acknowledged, and of nothing else', () => {
  const { collections, core } = openReplica()
  const { notes } = collections
  const told: string[][] = []
  const stop = notes.pending.subscribe(ids => told.push([...ids].sort()))
  const { id } = notes.insert({ title: 'a' }, { id: 'a' })
  core.tick()
  core.store()
  core.tick()
  notes.update(id, { color: 'teal' })
  core.tick()
  core.store()
  core.acknowledge()
  core.tick()
  expect(told).toEqual([[], ['a'], []])
  stop()
  notes.update(id, { color: 'red' })
  core.tick()
  expect(told).toHaveLength(3)
  expect(notes.pending.get()).toEqual(new Set(['a']))
})

test('what was typed makes a document pending', async () => {
  const { collections, core } = openReplica()
  const { notes } = collections
  const { id } = notes.insert({ title: 'a' })
  core.store()
  core.acknowledge()
  const handle = notes.text(id, 'body')
  await handle.whenReady
  const told: number[] = []
  notes.pending.subscribe(ids => told.push(ids.size))
  handle.text.insert(0, 'typed')
  await Promise.resolve()
  core.tick()
  expect(told).toEqual([0, 1])
  core.store()
  core.acknowledge()
  core.tick()
  expect(told).toEqual([0, 1, 0])
})

test('[L2] what was on enough relays is pending again for who listens when more are wanted', () => {
  const { collections, core } = openReplica()
  const { notes } = collections
  const wantedOn = (wanted: number): Chunk => ({
    kind: 'met',
    address: 'ws://a',
    store: 'relay' as StoreId,
    copies: { wanted, level: 'quorum', all: 2, relays: ['ws://a', 'ws://b'] },
  })
  core.apply(wantedOn(1))
  const { id } = notes.insert({ title: 'a' })
  const told: string[][] = []
  notes.pending.subscribe(ids => told.push([...ids]))
  core.acknowledge()
  core.tick()
  core.apply(wantedOn(2))
  core.tick()
  expect(told).toEqual([[id], [], [id]])
})

test('what was refused is not pending any more', () => {
  const { collections, core } = openReplica()
  collections.notes.insert({ title: 'a' })
  core.store()
  const told: number[] = []
  collections.notes.pending.subscribe(ids => told.push(ids.size))
  core.refuse(core.transactions[0]?.id as never, failure('refused-by-rule', { reason: 'no' }))
  core.tick()
  expect(told).toEqual([1, 0])
})

test('[W1] unsaved counts what is not on this disk, what was typed included', async () => {
  const { collections, core, status } = openReplica()
  const { notes } = collections
  const { id } = notes.insert({ title: 'a', body: 'b' })
  expect(status.get()).toMatchObject({ unsaved: 1, pending: 1 })
  core.store()
  core.tick()
  expect(status.get()).toMatchObject({ unsaved: 0, pending: 1 })
  const handle = notes.text(id, 'body')
  await handle.whenReady
  handle.text.insert(0, 'typed')
  await Promise.resolve()
  expect(status.get()).toMatchObject({ unsaved: 1, pending: 2 })
  core.store()
  core.acknowledge()
  core.tick()
  expect(status.get()).toMatchObject({ unsaved: 0, pending: 0 })
})
