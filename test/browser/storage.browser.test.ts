import { createIndexedDbStorage, createMemoryStorage } from '@rejoin/client'
import type { Runtime } from '@rejoin/core'
import { storageContract, type ContractRunner } from '@rejoin/testkit'
import { expect, test } from 'vitest'

const runner: ContractRunner = { test, equal: (actual, expected) => expect(actual).toEqual(expected) }
const runtime: Runtime = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  randomBytes: length => crypto.getRandomValues(new Uint8Array(length)),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

storageContract(`IndexedDB ${crypto.randomUUID()}`, createIndexedDbStorage(runtime), runner)
storageContract('memory in a browser', createMemoryStorage(), runner)
