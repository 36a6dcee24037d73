/**
 * Clients and a relay together, as they ship: replicas in memory or in IndexedDB, a relay's store in memory or in
 * SQLite, and real sockets between them.
 */
import { collection, openReplica } from '@rejoin/client'
import { createRelay, type Relay } from '@rejoin/relay'
import { ask, counter, lww, set, text } from '@rejoin/resolve'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'

const notes = collection('notes', {
  title: ask(v.string()),
  body: text(),
  color: lww(v.string()),
  tags: set(v.string()),
  views: counter(),
})

const closing: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map(one => one.close()))
})

async function startRelay(): Promise<{ relay: Relay; url: string }> {
  const relay = createRelay({ development: true })
  closing.push(relay)
  const { url } = await relay.listen({ port: 0 })
  return { relay, url }
}

let opened = 0
async function open(url: string, name: string) {
  const replica = await openReplica({
    space: 'team',
    name: `${name} ${++opened}`,
    collections: { notes },
    relays: [url],
    token: () => name,
    device: `${name}'s`,
  })
  closing.push(replica)
  return replica
}

describe('two clients and a relay', () => {
  it('an insert of one is in the query of the other within a second', async () => {
    const { url } = await startRelay()
    const alice = await open(url, 'alice')
    const bob = await open(url, 'bob')
    await bob.settled()
    const note = alice.notes.insert({ title: 'Hello', color: 'amber' })
    await note.reached('relay')
    const found = bob.notes.query({ where: { color: 'amber' } })
    await expect.poll(() => found.get().map(({ title }) => title), { timeout: 1000 }).toEqual(['Hello'])
  })
})
