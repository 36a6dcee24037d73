// The app's words for how far changes are: never ahead of the truth.
import type { Status } from '@rejoin/client'
import { describe, expect, test } from 'vitest'
import { describeStatus } from '@rejoin/notes/src/status-words.ts'

const calm: Status = {
  connection: 'online',
  pending: 0,
  unsaved: 0,
  oldestPendingAt: null,
  quarantined: 0,
  conflicts: 0,
  synced: true,
  persistence: 'indexeddb',
  clockOffsetMs: 0,
  relays: [],
}
const connections = ['offline', 'connecting', 'catching-up', 'online', 'paused'] as const

describe('the words for a status', () => {
  test.each(connections)('never say that all is on the relay while something is pending (%s)', connection => {
    const { headline } = describeStatus({ ...calm, connection, pending: 3, oldestPendingAt: 0 }, 0)
    expect(headline).toBe('3 changes on this device, not yet on a relay')
  })

  test.each(connections)('say that it is being saved while the disk has not answered (%s)', connection => {
    expect(describeStatus({ ...calm, connection, unsaved: 1, pending: 1 }, 0).headline).toBe(
      'Saving on this device…',
    )
  })

  test('say that all is on the relay only while there is one to ask', () => {
    expect(describeStatus(calm, 0)).toMatchObject({
      mood: 'good',
      headline: 'All changes are on the relay',
    })
    for (const connection of connections.filter(state => state !== 'online')) {
      expect(describeStatus({ ...calm, connection, synced: false }, 0).mood).not.toBe('good')
    }
  })

  test('do not count as sent what was refused', () => {
    const { mood, headline } = describeStatus({ ...calm, quarantined: 1 }, 0)
    expect(headline).toBe('1 change was refused, all others are on the relay')
    expect(mood).not.toBe('good')
  })

  test('do not claim a disk that cannot be written', () => {
    const full = { ...calm, storage: 'storage-full', unsaved: 2, pending: 2 } as const
    const { headline } = describeStatus(full, 0)
    expect(headline).toBe('2 changes in this tab, not yet on a relay')
  })

  test('do not claim a device that keeps nothing', () => {
    const { headline } = describeStatus({ ...calm, persistence: 'memory', pending: 1 }, 0)
    expect(headline).toBe('1 change in this tab, not yet on a relay')
  })

  test('say for how long the oldest change has waited', () => {
    const waiting = { ...calm, connection: 'offline', pending: 1, oldestPendingAt: 0 } as const
    const words = [30_000, 5 * 60_000, 3 * 3_600_000, 72 * 3_600_000].map(
      now => describeStatus(waiting, now).waiting,
    )
    expect(words).toEqual(['', 'waiting for 5 min', 'waiting for 3 h', 'waiting for 3 days'])
  })

  test('do not claim a connection from which no answer comes', () => {
    const waiting = { ...calm, pending: 1, oldestPendingAt: 0 }
    const words = [1000, 9000].map(now => describeStatus(waiting, now).connection)
    expect(words).toEqual(['Connected', 'No answer from the relay yet'])
  })
})
