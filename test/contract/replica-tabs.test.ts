/**
 * Two openings of one database in one process, which are two tabs: in memory, and in IndexedDB.
 */
import 'fake-indexeddb/auto'
import { describe, expect, it } from 'vitest'
import { systemRuntime, type ClientPorts } from '@rejoin/client'
import { openNotes, openRelay, type Notes } from './end-to-end.ts'

const soon = { timeout: 5000, interval: 10 }
let count = 0

function titles(replica: Notes): readonly string[] {
  return replica.notes
    .query()
    .get()
    .map(({ title }) => title)
    .sort()
}

/** Every opening goes by the same ports; the platform's own are over IndexedDB here. */
function portsOf(kind: 'memory' | 'indexeddb'): Partial<ClientPorts> {
  return kind === 'memory' ? { persistence: 'memory' } : {}
}

describe.each(['memory', 'indexeddb'] as const)('two tabs over %s', kind => {
  it('what one writes is at once in the other, and reaches the relay by whichever has the connection', async () => {
    const relay = await openRelay('memory')
    const opening = { database: `tabs ${++count}`, ports: portsOf(kind) }
    const first = await openNotes('alice', relay, opening)
    const second = await openNotes('alice', relay, opening)
    expect(first.status.get().persistence).toBe(kind)
    const note = second.notes.insert({ title: 'by the second', color: 'amber' })
    await note.reached('relay')
    await expect.poll(() => titles(first), soon).toEqual(['by the second'])
    await first.notes.update(note.id, { color: 'teal' }).reached('relay')
    await second.settled()
    expect(second.notes.get(note.id)?.color).toBe('teal')
    await expect.poll(() => second.status.get(), soon).toMatchObject({ connection: 'online', synced: true })
    expect(first.status.get()).toMatchObject({ connection: 'online', synced: true })
  })

  it('the other one takes the connection over when the first is closed', async () => {
    const relay = await openRelay('memory')
    const opening = { database: `tabs ${++count}`, ports: portsOf(kind) }
    const first = await openNotes('alice', relay, opening)
    const second = await openNotes('alice', relay, opening)
    await first.settled()
    await first.close()
    await second.notes.insert({ title: 'after', color: 'amber' }).reached('relay')
    await second.settled()
  })

  it('to pause one is to pause both, and either can resume', async () => {
    const relay = await openRelay('memory')
    const opening = { database: `tabs ${++count}`, ports: portsOf(kind) }
    const first = await openNotes('alice', relay, opening)
    const second = await openNotes('alice', relay, opening)
    await second.settled()
    second.pause()
    await expect.poll(() => first.status.get().connection, soon).toBe('paused')
    const note = first.notes.insert({ title: 'later', color: 'amber' })
    await note.reached('local')
    await expect.poll(() => second.status.get(), soon).toMatchObject({ connection: 'paused', pending: 1 })
    const third = await openNotes('alice', relay, opening)
    await expect.poll(() => third.status.get().connection, soon).toBe('paused')
    third.resume()
    await note.reached('relay')
    await expect.poll(() => second.status.get().connection, soon).toBe('online')
  })

  it('[W6] what a refusal makes anew keeps its promises in the tab that wrote it', async () => {
    const relay = await openRelay('memory')
    const ahead = { ...systemRuntime, now: () => systemRuntime.now() + 3_600_000 }
    const opening = { database: `tabs ${++count}`, ports: { ...portsOf(kind), runtime: ahead } }
    // Nobody has corrected the clock yet when this is written.
    await relay.stop()
    const first = await openNotes('alice', relay, opening)
    const second = await openNotes('alice', relay, opening)
    const note = second.notes.insert({ title: 'one', color: 'amber' })
    const change = second.notes.update(note.id, { color: 'teal' })
    const made = second.notes.insert({ title: 'two', color: 'red' })
    await relay.start()
    first.resume()
    await Promise.all([note.reached('relay'), change.reached('relay')])
    await made.reached('relay')
    await second.settled()
    expect(first.notes.get(note.id)).toEqual(second.notes.get(note.id))
    const bob = await openNotes('bob', relay)
    await bob.settled()
    expect(titles(bob)).toEqual(['one', 'two'])
    expect(second.quarantine.get()).toEqual([])
  })
})

describe('over IndexedDB', () => {
  it('what was written is there after closing and opening again, without a relay', async () => {
    const relay = await openRelay('memory')
    const opening = { database: `tabs ${++count}`, relays: [] }
    const first = await openNotes('alice', relay, opening)
    const note = first.notes.insert({ title: 'kept', color: 'amber', body: 'text' })
    first.notes.update(note.id, { color: 'teal' })
    await first.close()
    const again = await openNotes('alice', relay, opening)
    expect(again.notes.get(note.id)).toMatchObject({ title: 'kept', color: 'teal' })
    expect(again.status.get()).toMatchObject({ pending: 2, connection: 'offline' })
    const body = again.notes.text(note.id, 'body')
    await body.whenReady
    expect(body.text.toString()).toBe('text')
  })

  it('where the database cannot be opened the replica is in memory, and says so', async () => {
    const relay = await openRelay('memory')
    const { RejoinError } = await import('@rejoin/core')
    const blocked = new RejoinError('storage-blocked', { reason: 'test' }, 'blocked')
    const replica = await openNotes('alice', relay, {
      ports: { openStorage: () => Promise.reject(blocked) },
    })
    expect(replica.status.get().persistence).toBe('memory')
    await replica.notes.insert({ title: 'in memory', color: 'amber' }).reached('relay')
  })
})
