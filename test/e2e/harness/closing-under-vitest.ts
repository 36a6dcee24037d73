// A test run of its own, as somebody else may have it: it must pass, say nothing and end. Another test starts it.
import { collection, openReplica } from '@rejoin/client'
import { createRelay } from '@rejoin/relay'
import { lww } from '@rejoin/resolve'
import 'fake-indexeddb/auto'
import * as v from 'valibot'
import { afterEach, expect, test, vi } from 'vitest'

const notes = collection('notes', { title: lww(v.string()) })
const url = process.env['REJOIN_URL'] ?? ''

afterEach(() => {
  vi.useRealTimers()
})

test('twenty replicas one after the other', async () => {
  for (let round = 0; round < 20; round++) {
    await using replica = await openReplica({ space: `v${round}`, collections: { notes }, relays: [url] })
    replica.notes.query().subscribe(() => {})
    await replica.notes.insert({ title: 'Hello' }).reached('relay')
  }
})

test('with a relay in the same run', async () => {
  await using relay = createRelay({ development: true })
  const own = (await relay.listen({ port: 0 })).url
  await using replica = await openReplica({ space: 'own', collections: { notes }, relays: [own] })
  await replica.notes.insert({ title: 'Hello' }).reached('relay')
})

// fake-indexeddb goes by timers that are replaced here, so its database never opens: that is told, and nothing hangs.
test('under timers that nobody turns', async () => {
  vi.useFakeTimers()
  const replica = await openReplica({ space: 'fake', collections: { notes }, relays: [url] })
  expect(replica.status.get()).toMatchObject({ persistence: 'memory', storage: 'storage-blocked' })
  const note = replica.notes.insert({ title: 'Hello' })
  await expect(note.reached('local')).rejects.toMatchObject({ code: 'ack-unavailable' })
  await note.reached('relay')
  await replica.settled()
  await replica.close()
})
