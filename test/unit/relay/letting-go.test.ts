// Spaces that nobody is attached to do not stay in memory.
import { RejoinError, type RelayStore } from '@rejoin/core'
import { createKernel, createMemoryDisk } from '@rejoin/relay/kernel'
import {
  createChance,
  createScope,
  createSimulatedClock,
  type SimulatedClock,
  helloWith,
} from '@rejoin/testkit'
import { expect, test } from 'vitest'
import { attach } from './bare-kernel.ts'

const hello = helloWith()

interface Scene {
  readonly clock: SimulatedClock
  /** How often the space was read from the store. */
  readonly loads: () => number
  /** Says hello. Returns how to leave. */
  begin(): Promise<() => void>
}

async function createScene(change: Partial<RelayStore> = {}): Promise<Scene> {
  const clock = createSimulatedClock()
  const scope = createScope(clock)
  const chance = createChance(1)
  const disk = createMemoryDisk(length => chance.bytes(length))
  const opened = await disk.open()
  let loads = 0
  const store: RelayStore = {
    ...opened,
    loadSpace(space) {
      loads += 1
      return opened.loadSpace(space)
    },
    ...change,
  }
  const kernel = createKernel({
    store,
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
  return {
    clock,
    loads: () => loads,
    async begin() {
      const session = attach(kernel, () => {})
      session.receive(hello)
      await clock.advance(1000)
      return () => session.closed()
    },
  }
}

test('a space is let go when nobody has been attached to it for half a minute', async () => {
  const { clock, loads, begin } = await createScene()
  const leave = await begin()
  await clock.advance(60_000)
  const leaveToo = await begin()
  leave()
  await clock.advance(60_000)
  leaveToo()
  await clock.advance(15_000)
  const leaveAgain = await begin()
  leaveAgain()
  await clock.advance(15_000)
  const leaveAtLast = await begin()
  expect(loads()).toBe(1)
  leaveAtLast()
  await clock.advance(31_000)
  await begin()
  expect(loads()).toBe(2)
})

test('a space in which no session could begin is let go', async () => {
  const { clock, loads, begin } = await createScene({
    commit: () => Promise.reject(new RejoinError('storage-full', { reason: 'test' }, 'the disk is full')),
  })
  await begin()
  await begin()
  expect(loads()).toBe(1)
  await clock.advance(31_000)
  await begin()
  expect(loads()).toBe(2)
})
