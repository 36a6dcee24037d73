// Spaces that nobody is attached to do not stay in memory.
import { RejoinError, writerFromBytes, type HelloFrame, type RelayStore, type StoreId } from '@rejoin/core'
import { createKernel, createMemoryDisk } from '@rejoin/relay/kernel'
import { createChance, createScope, createSimulatedClock } from '@rejoin/testkit'
import { expect, test } from 'vitest'

const hello: HelloFrame = {
  type: 'hello',
  protocol: 1,
  space: 'space',
  token: 'alice',
  replica: writerFromBytes(new Uint8Array(8)) as string as StoreId,
  device: '',
  role: 'client',
  cursors: [],
  empty: true,
  frontier: new Map(),
  reach: new Map(),
  level: 'relay',
  credit: 0,
}

test('a space in which no session could begin is let go', async () => {
  const clock = createSimulatedClock()
  const scope = createScope(clock)
  const chance = createChance(1)
  const disk = createMemoryDisk(length => chance.bytes(length))
  const opened = await disk.open()
  let loads = 0
  const full: RelayStore = {
    ...opened,
    loadSpace(space) {
      loads += 1
      return opened.loadSpace(space)
    },
    commit: () => Promise.reject(new RejoinError('storage-full', { reason: 'test' }, 'the disk is full')),
  }
  const kernel = createKernel({
    store: full,
    runtime: {
      now: () => clock.time,
      monotonic: () => clock.time,
      randomBytes: length => chance.bytes(length),
      after: (delayMs, run) => scope.after(delayMs, run),
    },
    token: token => Promise.resolve({ user: token }),
    access: () => Promise.resolve('write'),
    accept: () => true,
    log: { error: () => {}, info: () => {}, debug: () => {} },
  })
  const begin = async (): Promise<void> => {
    kernel.attach({ address: '', buffered: () => 0, send: () => {}, close: () => {} }).receive(hello)
    await clock.advance(1000)
  }
  await begin()
  await begin()
  expect(loads).toBe(1)
  await clock.advance(31_000)
  await begin()
  expect(loads).toBe(2)
})
