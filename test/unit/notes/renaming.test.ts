// A new name waits until nothing is left that was written under the old one.
import type { Status } from '@rejoin/client'
import { expect, test } from 'vitest'
import { whenNothingWaits } from '@rejoin/notes/src/renaming.ts'

const synced = { synced: true, quarantined: 0 } as Status
const behind = { synced: false, quarantined: 0 } as Status
const refused = { synced: true, quarantined: 1 } as Status

function watch(first: Status): {
  tell: (status: Status) => void
  live: Parameters<typeof whenNothingWaits>[0]
} {
  const listeners = new Set<(status: Status) => void>()
  return {
    tell: status => {
      for (const listener of listeners) listener(status)
    },
    live: {
      get: () => first,
      subscribe(listener) {
        listeners.add(listener)
        listener(first)
        return () => void listeners.delete(listener)
      },
    },
  }
}

test('with nothing waiting the new name is taken at once, and once', async () => {
  const { live, tell } = watch(synced)
  let taken = 0
  whenNothingWaits(live, () => taken++)
  tell(synced)
  await Promise.resolve()
  tell(synced)
  await Promise.resolve()
  expect(taken).toBe(1)
})

test('it waits for what was not sent, and for what was refused', async () => {
  const { live, tell } = watch(behind)
  let taken = 0
  whenNothingWaits(live, () => taken++)
  tell(refused)
  await Promise.resolve()
  expect(taken).toBe(0)
  tell(synced)
  await Promise.resolve()
  expect(taken).toBe(1)
})

test('who takes the old name again stays', async () => {
  const { live, tell } = watch(behind)
  let taken = 0
  whenNothingWaits(live, () => taken++)()
  tell(synced)
  await Promise.resolve()
  expect(taken).toBe(0)
})
