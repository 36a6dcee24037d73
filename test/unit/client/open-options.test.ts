// Options that can never work are told when the replica is opened, and not by a replica that stays offline for ever.
import { collection, openReplica, type OpenOptions } from '@rejoin/client'
import { lww } from '@rejoin/resolve'
import * as v from 'valibot'
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

const notes = collection('notes', { color: lww(v.string()) })

test.for<[string, object, string]>([
  ['collections are missing', { collections: undefined }, 'collections is an object'],
  ['one was not declared', { collections: { notes: { color: lww(v.string()) } } }, 'notes was not declared'],
  ['one is missing', { collections: { notes: undefined } }, 'notes was not declared'],
  ['two have one name', { collections: { notes, others: notes } }, 'two collections have this name'],
  ['the token is a text', { token: 'abc' }, 'token is a function'],
  ['the device is a number', { device: 5 }, 'device is a text'],
  ['the device is too long to travel', { device: 'x'.repeat(257) }, 'device has at most 256 bytes'],
  ['the space has no form in UTF-8', { space: '\ud800' }, 'space is a text'],
  ['the database is that of all of them', { name: 'rejoin' }, 'name is that of a database'],
  ['the level is none', { level: 'disk' }, 'level is'],
])('what can never work is refused before anything is opened: %s', async ([, wrong, told]) => {
  const openStorage = vi.fn<() => Promise<never>>()
  const options = { space: 'team-1', collections: { notes }, relays: [], ports: { openStorage }, ...wrong }
  await expect(openReplica(options as unknown as OpenOptions<{ notes: typeof notes }>)).rejects.toThrow(told)
  expect(openStorage).not.toHaveBeenCalled()
})

test.for(['ws://localhost:1/', 'http://localhost:1', 'ws://LOCALHOST:1/v1/sync'])(
  'a relay that is named twice for a quorum is refused, however it is written: %s',
  async again => {
    const relays = ['ws://localhost:1', again, 'ws://localhost:2']
    const opening = openReplica({ space: 'team-1', collections: { notes }, relays, mode: 'quorum' })
    await expect(opening).rejects.toMatchObject({ code: 'quorum-invalid' })
  },
)

test('relays are refused where nothing can reach them', async () => {
  vi.stubGlobal('WebSocket', undefined)
  const relays = ['wss://relay.example']
  await expect(openReplica({ space: 'team-1', collections: {}, relays })).rejects.toThrow('without WebSocket')
  await using replica = await openReplica({ space: 'team-1', collections: {}, relays: [] })
  expect(replica.status.get().connection).toBe('offline')
})

test('a time-out beyond what a timer can be set for is none that ends at once, and one that is no time is refused', async () => {
  const options = { space: 'time-outs', collections: { notes }, relays: ['ws://localhost:1'] }
  await using replica = await openReplica(options)
  const written = replica.notes.insert({ color: 'amber' })
  const ended = vi.fn<() => void>()
  for (const timeoutMs of [2 ** 31, Infinity]) written.reached('relay', { timeoutMs }).catch(ended)
  for (const timeoutMs of [Number.NaN, -1])
    await expect(written.reached('relay', { timeoutMs })).rejects.toMatchObject({ code: 'value-unsupported' })
  await expect(written.reached('relay', { timeoutMs: 20 })).rejects.toMatchObject({ code: 'ack-timeout' })
  expect(ended).not.toHaveBeenCalled()
})

test('a database that holds one space is not opened for another, to whose relays it would all be sent', async () => {
  const options = { collections: { notes }, relays: [], name: 'of an application' }
  await (await openReplica({ ...options, space: 'team-1' })).close()
  await expect(openReplica({ ...options, space: 'team-2' })).rejects.toThrow('holds the space team-1')
  await using again = await openReplica({ ...options, space: 'team-1' })
  expect(again.status.get().storage).toBeUndefined()
})
