import { collection, createSurface } from '@rejoin/client'
import { createRowMap, partName, type Failure, type TransactionId } from '@rejoin/core'
import { ask } from '@rejoin/resolve'
import * as v from 'valibot'
import { expect, test, vi } from 'vitest'
import { exchange, openReplica, type Replica } from './notes-surface.ts'
import { settle } from './replica-core-double.ts'

const refusal: Failure = { code: 'refused-by-rule', details: { reason: 'titles are short' } }

function refuseLast({ core }: Replica): void {
  const last = core.transactions.at(-1)
  if (last !== undefined) core.refuse(last.id, refusal)
  core.tick()
}

test('[Q3] a refused write is listed with its reason and what it held', () => {
  const alice = openReplica()
  const told = vi.fn<(count: number) => void>()
  const stop = alice.quarantine.subscribe(list => told(list.length))
  alice.collections.notes.insert(
    { title: 'Long', color: 'red', tags: ['x'], views: 2, body: 'text' },
    { id: 'a' },
  )
  refuseLast(alice)
  expect(told.mock.calls).toEqual([[0], [1]])
  expect(alice.quarantine.get()).toMatchObject([
    {
      error: refusal,
      why: 'A rule of the application refused it: titles are short.',
      at: 1_764_000_000_000,
      writes: [
        {
          collection: 'notes',
          id: 'a',
          kind: 'insert',
          values: { title: 'Long', color: 'red', tags: ['x'], views: 2 },
          texts: ['body'],
        },
      ],
    },
  ])
  expect(alice.collections.notes.get('a')).toBeUndefined()
  stop()
})

test('[Q3] what is discarded is gone from the list, and nothing was written', async () => {
  const alice = openReplica()
  alice.collections.notes.insert({ title: 'a' })
  refuseLast(alice)
  const [item] = alice.quarantine.get()
  if (item === undefined) throw new Error('it was refused')
  await alice.quarantine.discard(item.id)
  await alice.quarantine.discard(item.id)
  alice.core.tick()
  expect(alice.quarantine.get()).toEqual([])
  expect(alice.core.transactions).toHaveLength(1)
  expect(await alice.quarantine.sendAgain(item.id)).toBeNull()
})

test('[Q3] what is sent again is a new write of the same content over what is seen now', async () => {
  const [alice, bob] = [openReplica(), openReplica()]
  const { id } = alice.collections.notes.insert({ title: 'a', color: 'red', tags: ['x', 'y'], views: 1 })
  exchange(alice, bob)
  alice.collections.notes.update(id, {
    title: 'b',
    color: 'blue',
    tags: { add: ['z'], remove: ['x'] },
    views: { increment: 5 },
  })
  refuseLast(alice)
  bob.core.pass(60_000)
  bob.collections.notes.update(id, { title: 'c', color: 'green', views: { increment: 10 } })
  exchange(alice, bob)
  expect(alice.collections.notes.get(id)).toMatchObject({
    title: 'c',
    color: 'green',
    tags: ['x', 'y'],
    views: 11,
  })
  const [item] = alice.quarantine.get()
  if (item === undefined) throw new Error('it was refused')
  const sending = alice.quarantine.sendAgain(item.id)
  expect(alice.quarantine.get()).toHaveLength(1)
  alice.core.store()
  await sending
  alice.core.tick()
  expect(alice.quarantine.get()).toEqual([])
  const after = { title: 'b', color: 'blue', tags: ['y', 'z'], views: 16 }
  expect(alice.collections.notes.get(id)).toMatchObject(after)
  expect(alice.conflicts.get()).toEqual([])
  exchange(alice, bob)
  expect(bob.collections.notes.get(id)).toMatchObject(after)
})

test('[Q3] who sends again twice, or once more as there was no room to settle it, writes once', async () => {
  const alice = openReplica()
  const { id } = alice.collections.notes.insert({ title: 'a', views: 1 })
  alice.core.store()
  alice.core.acknowledge()
  alice.collections.notes.update(id, { views: { increment: 5 } })
  refuseLast(alice)
  const [item] = alice.quarantine.get()
  if (item === undefined) throw new Error('it was refused')
  const settleQuarantined = alice.core.settleQuarantined
  alice.core.settleQuarantined = () => Promise.reject(new Error('full'))
  const both = [alice.quarantine.sendAgain(item.id), alice.quarantine.sendAgain(item.id)]
  alice.core.store()
  for (const sending of both) await expect(sending).rejects.toThrow('full')
  alice.core.settleQuarantined = settleQuarantined
  await alice.quarantine.sendAgain(item.id)
  alice.core.tick()
  expect(alice.quarantine.get()).toEqual([])
  expect(alice.collections.notes.get(id)).toMatchObject({ views: 6 })
})

test('[Q3, W2] what cannot be sent again whole leaves nothing behind, however often it is tried', async () => {
  const alice = openReplica()
  alice.transact(tx => {
    tx.notes.insert({ title: 'a', views: 1, body: 'typed' }, { id: 'a' })
    tx.tasks.insert({ done: false, rank: 1 }, { id: 'a' })
  })
  refuseLast(alice)
  const [item] = alice.quarantine.get()
  if (item === undefined) throw new Error('it was refused')
  // Another version of the application has no such text, or no such collection.
  const titles = collection('notes', { title: ask(v.string()) })
  for (const declared of [{ notes: titles, tasks: alice.collections.tasks.declaration }, { notes: titles }]) {
    const other = createSurface(alice.core, declared)
    for (let i = 0; i < 2; i++)
      await expect(other.quarantine.sendAgain(item.id)).rejects.toMatchObject({ code: 'value-unsupported' })
    other.close()
  }
  const within: Promise<unknown>[] = []
  alice.transact(() => {
    within.push(alice.quarantine.sendAgain(item.id))
  })
  await expect(within[0]).rejects.toMatchObject({ code: 'value-unsupported' })
  expect(alice.core.transactions).toHaveLength(1)
  expect(alice.quarantine.get()).toHaveLength(1)
})

test('a counter that is sent again counts what was refused, whatever its writer counted before', async () => {
  const alice = openReplica()
  const { id } = alice.collections.notes.insert({ title: 'a', views: 4 })
  alice.collections.notes.update(id, { views: { increment: 3 } })
  alice.core.acknowledge()
  alice.collections.notes.update(id, { views: { increment: -2 } })
  refuseLast(alice)
  expect(alice.collections.notes.get(id)?.views).toBe(7)
  const [item] = alice.quarantine.get()
  if (item === undefined) throw new Error('it was refused')
  const sending = alice.quarantine.sendAgain(item.id)
  alice.core.store()
  await sending
  expect(alice.collections.notes.get(id)?.views).toBe(5)
})

test('[T1] what is sent again names nothing that was refused with what it stood on', async () => {
  const alice = openReplica()
  const { notes } = alice.collections
  const { id } = notes.insert({ title: 'a' })
  alice.core.acknowledge()
  notes.update(id, { tags: { add: ['x'] } })
  const added = alice.core.transactions.at(-1)
  notes.update(id, { color: 'red', tags: { remove: ['x'] } })
  if (added !== undefined) alice.core.refuse(added.id, refusal)
  const removing = [...alice.core.state.outbox.entries()].at(-1)
  if (removing !== undefined) alice.core.refuse(removing.transaction.id, refusal)
  alice.core.tick()
  const item = alice.quarantine.get().find(({ writes }) => 'color' in (writes[0]?.values ?? {}))
  if (item === undefined) throw new Error('it was refused')
  await sendAgain(alice, item.id)
  const again = alice.core.transactions.at(-1)?.writes[0]
  expect([...(again?.delta.cells.keys() ?? [])]).toEqual(['lww:color'])
})

test('an insert that is sent again comes back whole, with its text', async () => {
  const alice = openReplica()
  alice.collections.notes.insert({ title: 'a', body: 'Hello' }, { id: 'a' })
  refuseLast(alice)
  const [item] = alice.quarantine.get()
  if (item === undefined) throw new Error('it was refused')
  const sending = alice.quarantine.sendAgain(item.id)
  await settle()
  alice.core.store()
  await sending
  alice.core.tick()
  expect(alice.core.transactions[1]?.writes[0]).toMatchObject({ whole: true })
  const handle = alice.collections.notes.text('a', 'body')
  await handle.whenReady
  expect(handle.text.toString()).toBe('Hello')
  handle.close()
})

/** A note whose insert was refused, and what was typed in it since. */
async function refuseWithTyping(...typed: readonly string[]): Promise<Replica> {
  const alice = openReplica()
  const { notes } = alice.collections
  notes.insert({ title: 'a', body: 'Hello' }, { id: 'a' })
  const typing = notes.text('a', 'body')
  await typing.whenReady
  for (const more of typed) {
    typing.text.insert(typing.text.length, more)
    await settle()
  }
  typing.close()
  alice.core.store()
  const [insert] = alice.core.transactions
  if (insert !== undefined) alice.core.refuse(insert.id, refusal)
  alice.core.tick()
  return alice
}

async function sendAgain({ quarantine, core }: Replica, id: TransactionId): Promise<void> {
  const sending = quarantine.sendAgain(id)
  sending.catch(() => {})
  await settle()
  core.store()
  await sending.finally(() => core.tick())
}

async function bodyOf({ collections }: Replica): Promise<string> {
  const handle = collections.notes.text('a', 'body')
  await handle.whenReady
  const body = handle.text.toString()
  handle.close()
  return body
}

test('[Q3] what was typed upon what was refused with it is typed again at its place, and once', async () => {
  const alice = await refuseWithTyping(' world', '!')
  const items = alice.quarantine.get()
  const codes = items.map(({ error }) => error.code)
  expect(codes).toEqual(['refused-by-rule', 'built-on-refused', 'built-on-refused'])
  for (const { id } of items) await sendAgain(alice, id)
  expect(alice.quarantine.get()).toEqual([])
  expect(await bodyOf(alice)).toBe('Hello world!')
})

test('[Q3] all that was refused can be sent again at once, each upon what it stood on', async () => {
  const alice = await refuseWithTyping(' world', '!')
  const all = alice.quarantine.get().map(({ id }) => alice.quarantine.sendAgain(id))
  await settle()
  alice.core.store()
  await settle()
  alice.core.store()
  await Promise.all(all)
  alice.core.tick()
  expect(alice.quarantine.get()).toEqual([])
  expect(await bodyOf(alice)).toBe('Hello world!')
})

test('[Q3] what was typed upon what was thrown away is typed again without it', async () => {
  const alice = await refuseWithTyping(' world', '!')
  const [insert, world, mark] = alice.quarantine.get()
  if (insert === undefined || world === undefined || mark === undefined) throw new Error('all was refused')
  await alice.quarantine.discard(insert.id)
  alice.collections.notes.insert({ title: 'a' }, { id: 'a' })
  await sendAgain(alice, world.id)
  expect(await bodyOf(alice)).toBe(' world')
  await sendAgain(alice, mark.id)
  expect(await bodyOf(alice)).toBe(' world!')
})

test('[Q3] what was typed upon what nobody has any more cannot be sent again, and stays', async () => {
  const alice = await refuseWithTyping(' world')
  const { state } = alice.core
  // Of texts that were made anew the latest are kept.
  state.load(createRowMap(), { ...state.snapshot(), remade: [] }, state.seen)
  alice.collections.notes.insert({ title: 'a' }, { id: 'a' })
  const [, typed] = alice.quarantine.get()
  if (typed === undefined) throw new Error('it was refused')
  await expect(sendAgain(alice, typed.id)).rejects.toMatchObject({ code: 'built-on-refused' })
  expect(alice.quarantine.get()).toHaveLength(2)
})

test('[Q3, W2] of what also typed what cannot be typed again nothing is sent again, however often it is tried', async () => {
  const alice = await refuseWithTyping(' world')
  const { state, transactions } = alice.core
  alice.collections.notes.insert({ title: 'a', color: 'red' }, { id: 'a' })
  const color = partName('lww', 'color')
  const red = transactions.at(-1)?.writes[0]?.delta.cells.get(color)
  if (red === undefined) throw new Error('it is red')
  const snapshot = state.snapshot()
  // It wrote a field in the same write.
  const quarantine = snapshot.quarantine.map(({ transaction, error }) => ({
    error,
    transaction: {
      ...transaction,
      writes: transaction.writes.map(write => {
        if (write.whole) return write
        return { ...write, delta: { ...write.delta, cells: new Map([...write.delta.cells, [color, red]]) } }
      }),
    },
  }))
  state.load(createRowMap(), { ...snapshot, quarantine, remade: [] }, state.seen)
  const [, typed] = alice.quarantine.get()
  expect(typed).toMatchObject({ writes: [{ kind: 'update', values: { color: 'red' }, texts: ['body'] }] })
  const before = transactions.length
  for (let i = 0; i < 2; i++)
    await expect(sendAgain(alice, typed?.id as TransactionId)).rejects.toMatchObject({
      code: 'built-on-refused',
    })
  expect(transactions).toHaveLength(before)
})

test('what changes a document that is not here cannot be sent again, and stays', async () => {
  const alice = openReplica()
  const { id } = alice.collections.notes.insert({ title: 'a' })
  alice.core.store()
  alice.collections.notes.update(id, { color: 'red' })
  const [first] = alice.core.transactions
  if (first !== undefined) alice.core.refuse(first.id, refusal)
  alice.core.tick()
  const [, update] = alice.quarantine.get()
  expect(update).toMatchObject({ error: { code: 'built-on-refused' }, writes: [{ kind: 'update' }] })
  if (update === undefined) return
  await expect(alice.quarantine.sendAgain(update.id)).rejects.toMatchObject({ code: 'document-unknown' })
  expect(alice.quarantine.get()).toHaveLength(2)
  expect(alice.core.transactions).toHaveLength(2)
})

test('what brings back a document that is not even deleted here cannot be sent again, and stays', async () => {
  const alice = openReplica()
  const { id } = alice.collections.notes.insert({ title: 'a' })
  alice.core.store()
  alice.collections.notes.delete(id)
  alice.collections.notes.undelete(id)
  const [first] = alice.core.transactions
  if (first !== undefined) alice.core.refuse(first.id, refusal)
  alice.core.tick()
  const [, , undelete] = alice.quarantine.get()
  expect(undelete).toMatchObject({ error: { code: 'built-on-refused' }, writes: [{ kind: 'undelete' }] })
  if (undelete === undefined) return
  await expect(alice.quarantine.sendAgain(undelete.id)).rejects.toMatchObject({ code: 'document-unknown' })
  expect(alice.quarantine.get()).toHaveLength(3)
})

test('the status counts what is pending, refused and in conflict', () => {
  const [alice, bob] = [openReplica(), openReplica()]
  expect(alice.status.get()).toEqual({
    pending: 0,
    unsaved: 0,
    oldestPendingAt: null,
    quarantined: 0,
    conflicts: 0,
  })
  const { id } = alice.collections.notes.insert({ title: 'a' })
  alice.core.pass(500)
  alice.collections.notes.update(id, { color: 'red' })
  expect(alice.status.get()).toMatchObject({ pending: 2, oldestPendingAt: 1_764_000_000_000 })
  exchange(alice, bob)
  const settled = alice.status.get()
  expect(settled).toMatchObject({ pending: 0, oldestPendingAt: null })
  alice.collections.notes.update(id, { title: 'b' })
  bob.collections.notes.update(id, { title: 'c' })
  exchange(alice, bob)
  alice.collections.notes.update(id, { color: 'blue' })
  refuseLast(alice)
  expect(alice.status.get()).toMatchObject({ pending: 0, quarantined: 1, conflicts: 1 })
})
