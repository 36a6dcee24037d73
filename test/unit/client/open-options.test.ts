// Options that can never work are told when the replica is opened, and not by a replica that stays offline for ever.
import { openReplica } from '@rejoin/client'
import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => vi.unstubAllGlobals())

test.for(['relay.example', 'localhost:4455', 'ftp://relay.example', ''])(
  'what is no address of a relay is refused: %j',
  async url => {
    const opening = openReplica({ space: 'team-1', collections: {}, relays: ['wss://relay.example', url] })
    await expect(opening).rejects.toThrow(`'${url}' is not the address of a relay`)
    await expect(opening).rejects.toThrow(TypeError)
  },
)

test('a space and relays that are missing are refused', async () => {
  const space = undefined as unknown as string
  await expect(openReplica({ space, collections: {}, relays: [] })).rejects.toThrow('space is the name')
  const relays = undefined as unknown as string[]
  await expect(openReplica({ space: 'team-1', collections: {}, relays })).rejects.toThrow('relays is a list')
})

test('relays are refused where nothing can reach them', async () => {
  vi.stubGlobal('WebSocket', undefined)
  const relays = ['wss://relay.example']
  await expect(openReplica({ space: 'team-1', collections: {}, relays })).rejects.toThrow('without WebSocket')
  await using replica = await openReplica({ space: 'team-1', collections: {}, relays: [] })
  expect(replica.status.get().connection).toBe('offline')
})
