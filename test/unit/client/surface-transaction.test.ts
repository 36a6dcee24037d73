import { compareMarks, limits } from '@rejoin/core'
import { expect, test, vi } from 'vitest'
import { openReplica } from './notes-surface.ts'
import { codeOf } from './replica-core-double.ts'

test('[W2] several writes become one transaction, each with a mark of its own that rises', () => {
  const { transact, collections, core } = openReplica()
  const { value } = transact(tx => {
    const { id } = tx.notes.insert({ title: 'a' })
    tx.notes.update(id, { color: 'red' })
    tx.tasks.insert({ done: false, rank: 1 }, { id: 'task' })
    return id
  })
  expect(core.transactions).toHaveLength(1)
  const marks = core.transactions[0]?.writes.map(({ mark }) => mark) ?? []
  expect(marks).toHaveLength(3)
  marks.reduce((before, mark) => {
    expect(compareMarks(mark, before)).toBeGreaterThan(0)
    return mark
  })
  expect(collections.notes.get(value)?.color).toBe('red')
})

test('writes inside a transaction see each other, and nobody else sees them before its end', () => {
  const { transact, collections } = openReplica()
  const { id } = collections.notes.insert({ title: 'a', views: 1 })
  const all = collections.notes.query()
  transact(tx => {
    tx.notes.update(id, { views: { increment: 1 }, color: 'red' })
    tx.notes.update(id, { views: { increment: 1 } })
    expect(tx.notes.get(id)).toMatchObject({ views: 3, color: 'red' })
    tx.notes.delete(id)
    expect(tx.notes.get(id)).toBeUndefined()
    expect(codeOf(() => tx.notes.update(id, { color: 'blue' }))).toBe('document-unknown')
    tx.notes.undelete(id)
    expect(all.get()).toMatchObject([{ views: 1 }])
  })
  expect(collections.notes.get(id)).toMatchObject({ views: 3, color: 'red' })
  expect(all.get()).toMatchObject([{ views: 3 }])
})

test('a throw inside discards everything, and the next write is not touched by it', async () => {
  const { transact, collections, core } = openReplica()
  let inside: { reached(level: 'local'): Promise<void> } | null = null
  const failing = () =>
    transact(tx => {
      inside = tx.notes.insert({ title: 'a' }, { id: 'a' })
      // Nobody waits for this one, so nobody is to hear of it.
      void inside.reached('local')
      throw new Error('no')
    })
  expect(failing).toThrow('no')
  expect(collections.notes.get('a')).toBeUndefined()
  expect(core.transactions).toHaveLength(0)
  collections.notes.insert({ title: 'b' }, { id: 'a' })
  expect(collections.notes.get('a')?.title).toBe('b')
  await expect(
    (inside as unknown as { reached(level: string): Promise<void> }).reached('local'),
  ).rejects.toMatchObject({
    code: 'closed',
  })
})

test('a call that fails and is caught inside leaves the others of the transaction as they are', () => {
  const { transact, collections } = openReplica()
  transact(tx => {
    tx.notes.insert({ title: 'a' }, { id: 'a' })
    expect(codeOf(() => tx.notes.insert({ title: 'b' }, { id: 'a' }))).toBe('value-unsupported')
    tx.notes.insert({ title: 'c' }, { id: 'c' })
  })
  expect(
    collections.notes
      .query()
      .get()
      .map(({ id }) => id),
  ).toEqual(['a', 'c'])
})

test('an asynchronous callback throws, and writes nothing', () => {
  const { transact, core } = openReplica()
  // What the compiler refuses, as a caller without types could still do it.
  const loose = transact as (run: (tx: unknown) => unknown) => unknown
  expect(codeOf(() => loose(async () => Promise.reject(new Error('late'))))).toBe('value-unsupported')
  expect(core.transactions).toHaveLength(0)
})

test('a nested transaction throws', () => {
  const { transact } = openReplica()
  expect(codeOf(() => transact(() => void transact(() => undefined)))).toBe('value-unsupported')
})

test('a write by another handle during the callback belongs to the transaction', () => {
  const { transact, collections, core } = openReplica()
  transact(tx => {
    tx.notes.insert({ title: 'a' })
    collections.tasks.insert({ done: true, rank: 2 })
  })
  expect(core.transactions).toHaveLength(1)
})

test('[F4] a transaction beyond its bound throws transaction-too-large at the call that goes beyond', () => {
  const { transact, core } = openReplica()
  const title = 'x'.repeat(200_000)
  const fill = () =>
    transact(tx => {
      for (let i = 0; i * title.length < 2 * limits.submitBytesMax; i++) tx.notes.insert({ title })
    })
  expect(codeOf(fill)).toBe('transaction-too-large')
  expect(core.transactions).toHaveLength(0)
})

test('[W2] a thousand inserts in one transaction fit, and are told in one step', () => {
  const { transact, collections, core } = openReplica()
  const told = vi.fn<(count: number) => void>()
  const stop = collections.notes.query().subscribe(rows => told(rows.length))
  transact(tx => {
    for (let i = 0; i < 1000; i++)
      tx.notes.insert({ title: `Note ${i}`, color: 'amber', tags: ['new', 'batch'] })
  })
  core.tick()
  expect(told.mock.calls).toEqual([[0], [1000]])
  stop()
})

test('a transaction that writes nothing has reached every level', async () => {
  const { transact, core } = openReplica()
  await transact(() => 5).reached('quorum')
  expect(core.transactions).toHaveLength(0)
})

test('what was written inside has reached a level when the transaction has', async () => {
  const { transact, core } = openReplica()
  const { value: handle, reached } = transact(tx => tx.notes.insert({ title: 'a' }))
  const both = Promise.all([handle.reached('relay'), reached('relay')])
  core.acknowledge()
  await both
})
