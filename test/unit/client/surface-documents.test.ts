import { collection, createSurface } from '@rejoin/client'
import { compareMarks, lastOfRow, limits, partName, rowExists } from '@rejoin/core'
import { ask, lww, set } from '@rejoin/resolve'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { exchange, openReplica } from './notes-surface.ts'
import { codeOf, createReplicaCoreDouble, rowOf } from './replica-core-double.ts'

test('[W1] an insert is visible when the call returns', () => {
  const { collections } = openReplica()
  const { id } = collections.notes.insert({ title: 'Hello', color: 'amber', tags: ['b', 'a'] })
  expect(collections.notes.get(id)).toEqual({
    id,
    title: 'Hello',
    color: 'amber',
    tags: ['a', 'b'],
    views: 0,
  })
})

test('[W5] ids are minted from the writer and a serial, and are never the same', () => {
  const { collections, core } = openReplica()
  const ids = Array.from({ length: 40 }, () => collections.notes.insert({ title: 'a' }).id)
  expect(new Set(ids).size).toBe(40)
  expect(ids[0]).toBe(`${core.writer}.1`)
  expect(ids[39]).toBe(`${core.writer}.18`)
})

test('[W5] an insert is whole, and its revival is its own mark', () => {
  const { collections, core } = openReplica()
  collections.notes.insert({ title: 'a', body: 'b' })
  const write = core.transactions[0]?.writes[0]
  expect(write?.whole).toBe(true)
  expect(write?.delta.revival).toEqual(write?.mark)
  expect(write?.texts.get(partName('text', 'body'))).toHaveLength(1)
})

test('an id of the application is taken if it can be one', () => {
  const { notes } = openReplica().collections
  expect(notes.insert({ title: 'a' }, { id: 'welcome/1 ü' }).id).toBe('welcome/1 ü')
  expect(notes.get('welcome/1 ü')?.title).toBe('a')
  for (const id of ['', '__proto__', 'constructor', 'prototype', 'a\nb', '\ud800']) {
    expect(codeOf(() => notes.insert({ title: 'a' }, { id }))).toBe('key-forbidden')
  }
  expect(codeOf(() => notes.insert({ title: 'a' }, { id: 'x'.repeat(257) }))).toBe('limit-exceeded')
})

test('what is declared wrong throws where it is declared', () => {
  const declare = (fields: unknown, options?: unknown) => () =>
    collection('notes', fields as Parameters<typeof collection>[1], options as { onDelete?: 'ask' })
  for (const fields of [undefined, { a: undefined }, { a: v.string() }, { a: lww }])
    expect(declare(fields)).toThrow(TypeError)
  // Nothing could read it again: neither a relay, nor this device after a reload.
  expect(declare({ a: lww(v.string()) }, { onDelete: 'edit_wins' })).toThrow(TypeError)
  for (const strategy of [lww, ask, set]) expect(() => strategy(undefined as never)).toThrow(TypeError)
})

test('what is no object of fields, no id and no listener throws and changes nothing', () => {
  const { collections, transact, core } = openReplica()
  const { id } = collections.notes.insert({ title: 'a' }, { id: '5' })
  const notes = collections.notes as unknown as Record<string, (...given: readonly unknown[]) => unknown>
  for (const input of [undefined, null, 'title', 5, [], new Map([['title', 'a']]), Promise.resolve({})]) {
    expect(codeOf(() => notes['insert']?.(input))).toBe('value-unsupported')
    expect(codeOf(() => notes['update']?.(id, input))).toBe('value-unsupported')
  }
  for (const patch of [{ tags: null }, { tags: { push: ['a'] } }, { views: null }, { views: 1 }])
    expect(codeOf(() => notes['update']?.(id, patch))).toBe('value-unsupported')
  expect(codeOf(() => notes['insert']?.({ title: 'a' }, 'welcome'))).toBe('value-unsupported')
  for (const wrong of [undefined, 5, Symbol('id'), { id }]) {
    expect(notes['get']?.(wrong)).toBeUndefined()
    expect(codeOf(() => notes['update']?.(wrong, { color: 'red' }))).toBe('value-unsupported')
    expect(codeOf(() => notes['delete']?.(wrong))).toBe('value-unsupported')
    expect(codeOf(() => notes['text']?.(wrong, 'body'))).toBe('value-unsupported')
  }
  expect(codeOf(() => transact(undefined as never))).toBe('value-unsupported')
  expect(() => collections.notes.query().subscribe(undefined as never)).toThrow(TypeError)
  expect(core.transactions).toHaveLength(1)
})

test('[F4] what makes a document too large throws, and what makes it smaller does not', () => {
  const { notes } = openReplica().collections
  const large = 'x'.repeat(limits.rowValueBytesMax / 4)
  const tags = Array.from({ length: 4 }, (_, i) => `${i}${large}`)
  expect(codeOf(() => notes.insert({ title: 'a', tags }))).toBe('limit-exceeded')
  const { id } = notes.insert({ title: 'a', tags: tags.slice(1) })
  expect(codeOf(() => notes.update(id, { tags: { add: tags } }))).toBe('limit-exceeded')
  expect(codeOf(() => notes.update(id, { tags: [], color: 'red' }))).toBeNull()
  expect(notes.get(id)?.tags).toEqual([])
})

test('[W5] a field is declared if its name can be one', () => {
  expect(codeOf(() => collection('notes', { 'Ärger 1': lww(v.string()) }))).toBeNull()
  for (const name of ['', 'id', '__proto__', 'constructor', 'toString', 'a\nb', 'a\ud800'])
    expect(codeOf(() => collection('notes', { [name]: lww(v.string()) }))).toBe('key-forbidden')
})

test('inserting an id that exists here throws and changes nothing', () => {
  const { collections, core } = openReplica()
  collections.notes.insert({ title: 'a' }, { id: 'welcome' })
  expect(codeOf(() => collections.notes.insert({ title: 'b' }, { id: 'welcome' }))).toBe('value-unsupported')
  expect(collections.notes.get('welcome')?.title).toBe('a')
  expect(core.transactions).toHaveLength(1)
})

test('two devices that insert one id write one document, whose fields join by their strategies', () => {
  const [alice, bob] = [openReplica(), openReplica()]
  alice.collections.notes.insert({ title: 'Hers', tags: ['a'] }, { id: 'welcome' })
  bob.collections.notes.insert({ title: 'His', tags: ['b'] }, { id: 'welcome' })
  exchange(alice, bob)
  expect(alice.collections.notes.get('welcome')).toEqual(bob.collections.notes.get('welcome'))
  expect(alice.collections.notes.get('welcome')?.tags).toEqual(['a', 'b'])
  expect(bob.conflicts.get()).toHaveLength(1)
})

test('[W5] an insert over a deletion that it sees revives with every field written anew', () => {
  const { notes } = openReplica().collections
  notes.insert({ title: 'Old', color: 'teal', tags: ['old'], views: 2 }, { id: 'a' })
  notes.delete('a')
  notes.insert({ title: 'New', tags: ['new'], views: 1 }, { id: 'a' })
  expect(notes.get('a')).toEqual({ id: 'a', title: 'New', color: undefined, tags: ['new'], views: 3 })
})

test('[W4] a write is greater than all that its writer sees in the row, and names what it replaces', () => {
  const { collections, core } = openReplica()
  const [alice, bob] = [openReplica(), openReplica()]
  const { id } = alice.collections.notes.insert({ title: 'a', color: 'red' })
  exchange(alice, bob)
  alice.core.pass(30_000)
  alice.collections.notes.update(id, { color: 'blue' })
  exchange(alice, bob)
  const seen = rowOf(bob.core, 'notes', id)
  bob.collections.notes.update(id, { color: 'green' })
  const write = bob.core.transactions.at(-1)?.writes[0]
  const last = lastOfRow(seen)
  expect(write && last && compareMarks(write.mark, last)).toBeGreaterThan(0)
  expect(write?.replaced.get(partName('lww', 'color'))).toEqual(last)
  expect(bob.collections.notes.get(id)?.color).toBe('green')
  expect(collections.notes.get(id)).toBeUndefined()
  expect(core.transactions).toHaveLength(0)
})

test('updating a document that does not exist here throws document-unknown', () => {
  const { notes } = openReplica().collections
  notes.insert({ title: 'a' }, { id: 'gone' })
  notes.delete('gone')
  expect(codeOf(() => notes.update('nothing', { title: 'b' }))).toBe('document-unknown')
  expect(codeOf(() => notes.update('gone', { title: 'b' }))).toBe('document-unknown')
  expect(codeOf(() => notes.delete('nothing'))).toBe('document-unknown')
  expect(codeOf(() => notes.undelete('nothing'))).toBe('document-unknown')
})

test('a wrong field or value throws before anything is changed, and names the field', () => {
  const { collections, core } = openReplica()
  const { notes } = collections
  const { id } = notes.insert({ title: 'a', color: 'red' })
  // Wrong on purpose, as a caller without types could be.
  const wrong = [
    { colour: 'teal' },
    { color: 5 },
    { color: 'teal', title: 5 },
    { body: 'x' },
    { tags: [5] },
  ] as object[]
  for (const patch of wrong) expect(codeOf(() => notes.update(id, patch))).toBe('value-unsupported')
  expect(() => notes.update(id, { color: 5 } as object)).toThrow(
    /^value-unsupported: the field color of notes/,
  )
  expect(codeOf(() => notes.insert({ title: 'a', colour: 'x' } as { title: string }))).toBe(
    'value-unsupported',
  )
  expect(codeOf(() => notes.insert({} as { title: string }))).toBe('value-unsupported')
  expect(notes.get(id)?.color).toBe('red')
  expect(core.transactions).toHaveLength(1)
})

test('an update that changes nothing makes no write, and its handle resolves at once', async () => {
  const { collections, core } = openReplica()
  const { id } = collections.notes.insert({ title: 'a', color: 'red' })
  await collections.notes.update(id, { title: 'a', color: 'red', tags: { add: [] } }).reached('quorum')
  await collections.notes.update(id, {}).reached('relay')
  expect(core.transactions).toHaveLength(1)
})

test('a deletion names what its writer saw of each field, and all of what is passive', () => {
  const { collections, core } = openReplica('delete-wins')
  const { id } = collections.notes.insert({ title: 'a', color: 'red' })
  collections.notes.delete(id)
  const deletion = core.transactions.at(-1)?.writes[0]?.delta.deletion
  expect(deletion?.policy).toBe('delete-wins')
  expect(deletion?.seen.get(partName('counter', 'views'))).toEqual({ kind: 'everything' })
  expect(deletion?.seen.get(partName('lww', 'color'))).toMatchObject({ kind: 'last' })
  expect(deletion?.seen.get(partName('ask', 'title'))).toMatchObject({ kind: 'context' })
  expect(collections.notes.get(id)).toBeUndefined()
})

test('deleting what is deleted and undeleting what exists write nothing', () => {
  const { collections, core } = openReplica()
  const { id } = collections.notes.insert({ title: 'a' })
  collections.notes.undelete(id)
  expect(core.transactions).toHaveLength(1)
  collections.notes.delete(id)
  collections.notes.delete(id)
  expect(core.transactions).toHaveLength(2)
})

test('undelete brings a document back as it was', () => {
  const { notes } = openReplica().collections
  const { id } = notes.insert({ title: 'a', color: 'red', tags: ['x'], views: 3 })
  const before = notes.get(id)
  notes.delete(id)
  notes.undelete(id)
  expect(notes.get(id)).toEqual(before)
})

test('a document stays the same object while it shows the same, and cannot be changed', () => {
  const { collections, core } = openReplica()
  const { id } = collections.notes.insert({ title: 'a', tags: ['x'] })
  const before = collections.notes.get(id)
  core.acknowledge()
  core.tick()
  expect(collections.notes.get(id)).toBe(before)
  collections.notes.update(id, { color: 'red' })
  const after = collections.notes.get(id)
  expect(after).not.toBe(before)
  expect(after?.tags).toBe(before?.tags)
  expect(() => Object.assign(after ?? {}, { title: 'b' })).toThrow(TypeError)
  const tags = (after?.tags ?? []) as string[]
  expect(() => tags.push('y')).toThrow(TypeError)
})

test('[F4] a value beyond its bound throws at the call', () => {
  const { collections, core } = openReplica()
  expect(codeOf(() => collections.notes.insert({ title: 'x'.repeat(limits.valueBytesMax) }))).toBe(
    'limit-exceeded',
  )
  expect(core.transactions).toHaveLength(0)
})

test('a handle is no promise, and tells how far its write has come', async () => {
  const { collections, core } = openReplica()
  const handle = collections.notes.insert({ title: 'a' })
  expect('then' in handle).toBe(false)
  const reached: string[] = []
  const local = handle.reached('local').then(() => reached.push('local'))
  core.store()
  await local
  expect(reached).toEqual(['local'])
  core.acknowledge()
  await handle.reached('relay')
})

test('writing on a closed replica throws closed, and reading still answers', () => {
  const { collections, core } = openReplica()
  const { id } = collections.notes.insert({ title: 'a' })
  core.closed = true
  expect(codeOf(() => collections.notes.update(id, { title: 'b' }))).toBe('closed')
  expect(collections.notes.get(id)?.title).toBe('a')
  expect(rowExists(rowOf(core, 'notes', id))).toBe(true)
})

test('nobody can change what is shown, dates and the default of a schema included, nor break a list by trying', () => {
  const nobody: string[] = []
  const tasks = collection('tasks', {
    due: lww(v.date()),
    people: lww(v.optional(v.array(v.string()), nobody)),
    photo: lww(v.optional(v.instance(Uint8Array))),
  })
  const core = createReplicaCoreDouble()
  const { collections } = createSurface(core, { tasks })
  const due = new Date(1000)
  const first = collections.tasks.insert({ due, photo: new Uint8Array([1]) }, { id: 'a' })
  collections.tasks.insert({ due: new Date(2000), photo: new Uint8Array([2]) }, { id: 'b' })
  due.setTime(5)
  expect(collections.tasks.get(first.id)).toEqual({
    id: 'a',
    due: new Date(1000),
    people: [],
    photo: new Uint8Array([1]),
  })
  expect(() => collections.tasks.get(first.id)?.due.setFullYear(2000)).toThrow('cannot be changed')
  expect(collections.tasks.get(first.id)?.due.getTime()).toBe(1000)
  collections.tasks.update(first.id, { due: new Date(Number(collections.tasks.get(first.id)?.due) + 1) })
  expect(collections.tasks.get(first.id)?.due.toISOString()).toBe('1970-01-01T00:00:01.001Z')
  nobody.push('the application’s own')
  expect(collections.tasks.get(first.id)?.people).toEqual([])
  // Bytes can be changed, by who insists.
  const byPhoto = collections.tasks.query({ orderBy: 'photo' })
  const stop = byPhoto.subscribe(() => {})
  collections.tasks.get(first.id)?.photo?.set([9])
  collections.tasks.delete(first.id)
  expect(byPhoto.get().map(({ id }) => id)).toEqual(['b'])
  stop()
})
