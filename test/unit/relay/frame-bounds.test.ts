// Whatever a space holds, what a relay says of it fits into frames (SPEC F4): else nobody could follow it any more.
import { limits, writerFromBytes, type WriterRecord } from '@rejoin/core'
import { type SimulatedRelay } from '@rejoin/testkit'
import { expect, test } from 'vitest'
import { begin, open, pass } from '../../simulation/small-cluster.ts'
import { deltaOf, markOf } from '../core/edits.ts'
import { welcomeFrom } from '../core/welcomes.ts'
import { createDialledRelay, peer, peersChange, peersGeneration, peersRow } from './peer-links.ts'

test('[F4] a document as large as may be comes to everybody, and a write beyond that throws', async () => {
  const cluster = await begin({ relays: 2, devices: 2 })
  cluster.network.cut('device-1', 'ws://relay-0', 'told')
  const alice = await open(cluster, 0)
  alice.notes.insert({ title: 'a', color: 'amber' }, { id: 'a' })
  const large = (i: number): string => `${i}`.padEnd(limits.valueBytesMax - 16, 'x')
  for (const i of [0, 1, 2]) {
    alice.notes.update('a', { tags: { add: [large(i)] } })
    await pass(cluster, 1000)
  }
  expect(() => alice.notes.update('a', { tags: { add: [large(3)] } })).toThrow(
    expect.objectContaining({ code: 'limit-exceeded' }),
  )
  // Who has not written it before leaves a mark, and nothing is in the way of that.
  const bob = await open(cluster, 1)
  await pass(cluster, 10_000)
  bob.notes.update('a', { color: 'teal', tags: { remove: [large(0)] } })
  await pass(cluster, 10_000)
  for (const { notes, status } of [alice, bob]) {
    expect(notes.get('a')).toMatchObject({ color: 'teal', tags: [large(1), large(2)] })
    expect(status.get()).toMatchObject({ synced: true, quarantined: 0 })
  }
  bob.notes.delete('a')
  await pass(cluster, 10_000)
  expect(alice.notes.get('a')).toBeUndefined()
})

test('[T4, F4] a peer is told of more writers than one frame holds', async () => {
  const cluster = await begin({ relays: 2, devices: 1 })
  const [relay, other] = cluster.relays as [SimulatedRelay, SimulatedRelay]
  cluster.network.cut(relay.url, other.url, 'told')
  const alice = await open(cluster, 0)
  alice.notes.insert({ title: 'a', color: 'amber' }, { id: 'a' })
  await pass(cluster, 5000)
  const { record } = await relay.store.loadSpace('space')
  if (record === null) throw new Error('there is no commit')
  const writers = Array.from({ length: 60_000 }, (_, i): WriterRecord => {
    const writer = writerFromBytes(new Uint8Array([7, 0, 0, 0, 0, 0, i >> 8, i & 255]))
    return { writer, user: 'alice@example.org', device: 'a browser', highest: { ms: 1, tick: 0, writer } }
  })
  await relay.store.commit({ space: 'space', record, rows: new Map(), texts: [], writers, generations: [] })
  cluster.network.heal(relay.url, other.url)
  await pass(cluster, 5000)
  await pass(cluster, 5000)
  const ids = writers.map(({ writer }) => writer)
  expect(await other.store.writers('space', ids)).toHaveLength(writers.length)
})

test('[P4, F4] a peer is asked for more rows than one frame asks for, in several', async () => {
  const dial = await createDialledRelay()
  const { say, said } = await dial()
  await say(welcomeFrom(peer, peersGeneration, { begin: 'resume', user: 'peers' }))
  const delta = deltaOf({ kind: 'color', value: 'red' }, undefined, markOf('bob', 1000))
  const rows = Array.from({ length: 5000 }, (_, i) => peersRow(`${i}`, { delta, parts: 3 }))
  await say({ ...peersChange(1, peersRow('a', { delta })), rows })
  const wants = said.filter(frame => frame.type === 'want').map(({ keys }) => keys.length)
  expect(wants).toEqual([4096, 904])
})
