import {
  documentKey,
  partName,
  writerFromBytes,
  yjsClientOf,
  type Cell,
  type ChangedRow,
  type Failure,
  type StoreId,
  type TextPart,
} from '@rejoin/core'
import { text } from '@rejoin/resolve'
import { expect, test, vi } from 'vitest'
import { pulledChunk } from '../core/chunks.ts'
import { exchange, openReplica, type Replica } from './notes-surface.ts'
import { codeOf, settle } from './replica-core-double.ts'

const refusal: Failure = { code: 'refused-by-rule', details: { reason: 'no' } }
const body = partName('text', 'body')

function handleOf({ collections }: Replica, id: string) {
  return collections.notes.text(id, 'body')
}

async function openBody(replica: Replica, id: string) {
  const handle = handleOf(replica, id)
  await handle.whenReady
  return handle
}

async function readBody(replica: Replica, id: string): Promise<string> {
  const handle = await openBody(replica, id)
  const content = handle.text.toString()
  handle.close()
  await settle()
  return content
}

function insertNote({ collections }: Replica, content?: string): string {
  return collections.notes.insert({ title: 'a', body: content }).id
}

test('a text opens with what its insert began it with', async () => {
  const alice = openReplica()
  expect(await readBody(alice, insertNote(alice, 'Hello'))).toBe('Hello')
  expect(await readBody(alice, insertNote(alice))).toBe('')
})

test('what one tick typed is one write, under the Yjs client id of its writer', async () => {
  const alice = openReplica()
  const id = insertNote(alice, 'Hello')
  const handle = await openBody(alice, id)
  for (const letter of ' world') handle.text.insert(handle.text.length, letter)
  expect(alice.core.transactions).toHaveLength(1)
  await settle()
  expect(alice.core.transactions).toHaveLength(2)
  const write = alice.core.transactions[1]?.writes[0]
  expect(write?.texts.get(body)).toHaveLength(1)
  expect(write?.delta.cells.get(body)).toEqual({
    strategy: 'text',
    context: new Map([[write?.mark.writer, write?.mark]]),
  })
  expect(handle.document.clientID).toBe(yjsClientOf(write?.mark.writer ?? ('' as never)))
  handle.close()
})

test('what others typed is applied, and both read the same', async () => {
  const [alice, bob] = [openReplica(), openReplica()]
  const id = insertNote(alice, 'mid')
  exchange(alice, bob)
  const [hers, his] = [await openBody(alice, id), await openBody(bob, id)]
  hers.text.insert(0, 'begin ')
  his.text.insert(3, ' end')
  await settle()
  exchange(alice, bob)
  expect(hers.text.toString()).toBe('begin mid end')
  expect(his.text.toString()).toBe('begin mid end')
  hers.close()
  his.close()
})

test('what others typed in several ticks and comes at once is one event for editors', async () => {
  const [alice, bob] = [openReplica(), openReplica()]
  const id = insertNote(alice, 'mid')
  exchange(alice, bob)
  const [hers, his] = [await openBody(alice, id), await openBody(bob, id)]
  for (const word of ['one ', 'two ', 'three ']) {
    hers.text.insert(0, word)
    await settle()
  }
  const told: unknown[] = []
  his.text.observe(({ delta }) => told.push(delta))
  exchange(alice, bob)
  expect(told).toEqual([[{ insert: 'three two one ' }]])
  hers.close()
  his.close()
})

test('handles of one body share one document, which closes with the last of them', async () => {
  const alice = openReplica()
  const id = insertNote(alice, 'a')
  const [one, two] = [await openBody(alice, id), await openBody(alice, id)]
  expect(one.text).toBe(two.text)
  one.close()
  one.close()
  expect(codeOf(() => one.text)).toBe('closed')
  two.text.insert(1, 'b')
  two.close()
  await settle()
  const again = await openBody(alice, id)
  expect(again.text.toString()).toBe('ab')
  again.text.insert(2, 'c')
  again.close()
  expect(await readBody(alice, id)).toBe('abc')
})

test('a text cannot be had before it is ready, of no document and of no text field', async () => {
  const alice = openReplica()
  const id = insertNote(alice, 'a')
  const handle = handleOf(alice, id)
  expect(codeOf(() => handle.text)).toBe('closed')
  handle.close()
  await expect(handle.whenReady).rejects.toMatchObject({ code: 'closed' })
  expect(codeOf(() => handleOf(alice, 'nothing'))).toBe('document-unknown')
  expect(codeOf(() => alice.collections.notes.text(id, 'title' as 'body'))).toBe('value-unsupported')
})

test('[X5] typing keeps a document that somebody deleted without knowing of it', async () => {
  const [alice, bob] = [openReplica(), openReplica()]
  const id = insertNote(alice, 'a')
  exchange(alice, bob)
  const handle = await openBody(alice, id)
  bob.collections.notes.delete(id)
  handle.text.insert(1, 'b')
  handle.close()
  exchange(alice, bob)
  expect(bob.collections.notes.get(id)?.title).toBe('a')
  expect(await readBody(bob, id)).toBe('ab')
})

test('[X9] a refused edit is taken out, later ones stay, and editors are told to attach again', async () => {
  const [alice, bob] = [openReplica(), openReplica()]
  const id = insertNote(alice, 'Hello')
  exchange(alice, bob)
  const handle = await openBody(alice, id)
  const replaced = vi.fn<() => void>()
  handle.onReplaced(replaced)
  const before = handle.text
  handle.text.insert(5, ' BAD')
  await settle()
  handle.text.insert(9, ' good')
  await settle()
  const bad = alice.core.transactions[1]
  if (bad !== undefined) alice.core.refuse(bad.id, refusal)
  alice.core.tick()
  await settle()
  expect(replaced).toHaveBeenCalledTimes(1)
  expect(handle.text).not.toBe(before)
  expect(handle.text.toString()).toBe('Hello good')
  handle.text.insert(handle.text.length, '!')
  await settle()
  const last = alice.core.transactions.at(-1)?.writes[0]
  expect(handle.document.clientID).toBe(yjsClientOf(last?.mark.writer ?? ('' as never)))
  handle.close()
  bob.core.pullFrom(alice.core)
  expect(await readBody(alice, id)).toBe('Hello good!')
})

test('[X9] what is typed while the body is built again is typed again in the new one', async () => {
  const alice = openReplica()
  const id = insertNote(alice, 'Hello')
  alice.core.acknowledge()
  alice.core.tick()
  const handle = await openBody(alice, id)
  handle.text.insert(5, ' BAD')
  await settle()
  const bad = alice.core.transactions[1]
  const release = alice.core.holdBodies()
  if (bad !== undefined) alice.core.refuse(bad.id, refusal)
  alice.core.tick()
  handle.text.insert(9, ' good')
  handle.text.delete(0, 1)
  handle.text.insert(0, 'J')
  await settle()
  expect(alice.core.transactions).toHaveLength(2)
  release()
  await settle()
  expect(handle.text.toString()).toBe('Jello good')
  expect(alice.core.transactions).toHaveLength(3)
  handle.close()
  expect(await readBody(alice, id)).toBe('Jello good')
})

test('what another tab has put away is loaded, and editors stay attached, since nothing was taken out', async () => {
  const [alice, bob] = [openReplica(), openReplica()]
  const id = insertNote(alice, 'a')
  exchange(alice, bob)
  const [hers, his] = [await openBody(alice, id), await openBody(bob, id)]
  const replaced = vi.fn<() => void>()
  his.onReplaced(replaced)
  const before = his.text
  hers.text.insert(1, 'b')
  await settle()
  his.text.insert(0, '!')
  await settle()
  bob.core.skipFrom(alice.core)
  bob.core.tick()
  his.text.insert(1, '?')
  await settle()
  expect(his.text.toString()).toBe('!?ab')
  expect(his.text).toBe(before)
  expect(replaced).not.toHaveBeenCalled()
  exchange(alice, bob)
  expect(hers.text.toString()).toBe('!?ab')
  hers.close()
  his.close()
})

test('an open text that could not be loaded once is loaded with the next change of anything', async () => {
  const [alice, bob] = [openReplica(), openReplica()]
  const id = insertNote(alice, 'a')
  exchange(alice, bob)
  const [hers, his] = [await openBody(alice, id), await openBody(bob, id)]
  const loading = vi.spyOn(bob.core, 'loadBody').mockRejectedValueOnce(new Error('the disk failed'))
  hers.text.insert(1, 'b')
  await settle()
  bob.core.skipFrom(alice.core)
  bob.core.tick()
  await settle()
  expect(his.text.toString()).toBe('a')
  insertNote(bob)
  await settle()
  expect(his.text.toString()).toBe('ab')
  expect(loading).toHaveBeenCalledTimes(2)
  hers.close()
  his.close()
})

test('[X7] after its writer was made anew elsewhere, a tab types on under the new one', async () => {
  const [alice, bob] = [openReplica(), openReplica()]
  const id = insertNote(alice, 'a')
  const handle = await openBody(alice, id)
  exchange(alice, bob)
  const before = handle.document.clientID
  alice.core.renewWriter()
  alice.core.tick()
  handle.text.insert(1, 'b')
  await settle()
  expect(handle.document.clientID).not.toBe(before)
  expect(handle.document.clientID).toBe(yjsClientOf(alice.core.writer ?? ('' as never)))
  handle.close()
  exchange(alice, bob)
  expect(await readBody(bob, id)).toBe('ab')
})

test('[X7] what was typed under a writer that is made anew in the same tick is typed again under the new one', async () => {
  const [alice, bob] = [openReplica(), openReplica()]
  const id = insertNote(alice, 'a')
  const handle = await openBody(alice, id)
  exchange(alice, bob)
  alice.core.renewWriter()
  handle.text.insert(1, 'b')
  await settle()
  alice.core.tick()
  await settle()
  expect(handle.text.toString()).toBe('ab')
  const write = alice.core.transactions.at(-1)?.writes[0]
  expect(write?.mark.writer).toBe(alice.core.writer)
  exchange(alice, bob)
  expect(await readBody(bob, id)).toBe('ab')
  handle.close()
})

test('[W5] an insert over a deletion empties the old text and types the new one', async () => {
  const [alice, bob] = [openReplica(), openReplica()]
  alice.collections.notes.insert({ title: 'a', body: 'Old text' }, { id: 'n' })
  exchange(alice, bob)
  alice.collections.notes.delete('n')
  const handle = alice.collections.notes.insert({ title: 'b', body: 'New' }, { id: 'n' })
  const reached = handle.reached('local')
  await settle()
  alice.core.store()
  await reached
  exchange(alice, bob)
  expect(await readBody(alice, 'n')).toBe('New')
  expect(await readBody(bob, 'n')).toBe('New')
  bob.collections.notes.delete('n')
  bob.collections.notes.insert({ title: 'c' }, { id: 'n' })
  await settle()
  exchange(alice, bob)
  expect(await readBody(alice, 'n')).toBe('')
})

test('[W5] so it does whatever the Yjs client of who typed the old one is', async () => {
  const alice = openReplica()
  const writer = writerFromBytes(new Uint8Array([1, 2, 3, 4, 0, 0, 0, 0]))
  const typed = { ms: 1_763_000_000_000, tick: 0, writer }
  const deletion = { mark: { ...typed, tick: 1 }, policy: 'delete-wins', seen: new Map() } as const
  const cell: Cell = { strategy: 'text', context: new Map([[writer, typed]]) }
  const tail: TextPart = { kind: 'tail', updates: [text().text.create('Old text', 0) ?? new Uint8Array()] }
  const row: ChangedRow = {
    key: documentKey('notes', 'n'),
    delta: { cells: new Map([[body, cell]]), deletion, revival: typed },
    parts: 0,
    texts: new Map([[body, tail]]),
  }
  alice.core.apply(pulledChunk('relay' as StoreId, { rows: [row] }))
  alice.collections.notes.insert({ title: 'b', body: 'New' }, { id: 'n' })
  await settle()
  expect(await readBody(alice, 'n')).toBe('New')
})

test('[F4] a text larger than one update travels in several, each within its bound', async () => {
  const [alice, bob] = [openReplica(), openReplica()]
  const id = insertNote(alice)
  exchange(alice, bob)
  const handle = await openBody(alice, id)
  const pasted = 'lorem ipsum '.repeat(60_000)
  handle.text.insert(0, pasted)
  await settle()
  const updates = alice.core.transactions
    .slice(1)
    .flatMap(({ writes }) => writes.map(write => write.texts.get(body)))
  expect(updates.length).toBeGreaterThan(2)
  for (const list of updates) expect(list?.[0]?.length).toBeLessThanOrEqual(256 * 1024)
  exchange(alice, bob)
  expect((await readBody(bob, id)) === pasted).toBe(true)
  handle.close()
})

test('typing inside a transaction is a write of its own, and stays if the transaction is thrown away', async () => {
  const alice = openReplica()
  const id = insertNote(alice, 'a')
  const handle = await openBody(alice, id)
  expect(() =>
    alice.transact(tx => {
      tx.notes.update(id, { color: 'red' })
      handle.text.insert(1, 'b')
      handle.close()
      throw new Error('no')
    }),
  ).toThrow('no')
  await settle()
  expect(alice.core.transactions).toHaveLength(2)
  expect(await readBody(alice, id)).toBe('ab')
})

test('closing the surface writes what was typed', async () => {
  const alice = openReplica()
  const id = insertNote(alice, 'a')
  const handle = await openBody(alice, id)
  handle.text.insert(1, 'b')
  await alice.written()
  expect(alice.core.transactions).toHaveLength(2)
  expect(codeOf(() => handle.text)).toBe('closed')
})
