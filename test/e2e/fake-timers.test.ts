/** A test that replaces the timers does not stop a replica: nothing waits in vain for a clock that nobody turns. */
import { collection, createMemoryStorage, openReplica } from '@rejoin/client'
import { RejoinError } from '@rejoin/core'
import { createRelay } from '@rejoin/relay'
import { lww } from '@rejoin/resolve'
import { createServer, type AddressInfo } from 'node:net'
import * as v from 'valibot'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'

const notes = collection('notes', { title: lww(v.string()) })
let urls: Readonly<Record<'relay' | 'nobody' | 'silent', string>>

beforeEach(async () => {
  const relay = createRelay({ development: true })
  const { url } = await relay.listen({ port: 0 })
  const silent = createServer(() => {})
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  urls = { relay: url, nobody: 'ws://127.0.0.1:9', silent: `ws://127.0.0.1:${port}` }
  onTestFinished(async () => {
    await relay.close()
    silent.close()
  })
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

let count = 0

function open(url: string, openStorage = createMemoryStorage()) {
  const ports = { persistence: 'memory', openStorage } as const
  return openReplica({ space: `fake-${count++}`, collections: { notes }, relays: [url], ports })
}

test('a write reaches a relay, a time-out comes in time, and closing ends', async () => {
  const replica = await open(urls.relay)
  await replica.notes.insert({ title: 'a' }).reached('relay')
  await replica.settled()
  replica.pause()
  await expect(
    replica.notes.insert({ title: 'b' }).reached('relay', { timeoutMs: 20 }),
  ).rejects.toMatchObject({
    code: 'ack-timeout',
  })
  await replica.close()
  await replica.close()
})

test.each(['relay', 'nobody', 'silent'] as const)('closing ends while it connects: %s', async name => {
  const replica = await open(urls[name])
  replica.notes.insert({ title: 'a' })
  await replica.close()
})

test('closing ends with a store that does not answer any more', async () => {
  const openMemory = createMemoryStorage()
  let isStuck = false
  const replica = await open(urls.nobody, async (...args) => {
    const storage = await openMemory(...args)
    return {
      ...storage,
      transact: options => (isStuck ? new Promise(() => {}) : storage.transact(options)),
    }
  })
  isStuck = true
  const written = replica.notes.insert({ title: 'a' }).reached('local')
  await replica.close()
  await expect(written).rejects.toBeInstanceOf(RejoinError)
})
