/** Devices whose clocks are off, and a relay that knows the time (SPEC C2, C4). */
import {
  collection,
  connectWebSocket,
  deflating,
  createMemoryStorage,
  openReplica,
  systemRuntime,
  type ClientPorts,
  type Replica,
} from '@rejoin/client'
import { createDictionary, decodeFrame, type Connect, type Dictionary, type Frame } from '@rejoin/core'
import { createRelay } from '@rejoin/relay'
import { ask, text } from '@rejoin/resolve'
import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'

const notes = collection('notes', { title: ask(v.string()), body: text() })
type Notes = Replica<{ readonly notes: typeof notes }>

const hour = 3_600_000
const minute = 60_000

/** A device of its own, with a clock that is so far ahead, and what goes over its link. */
function createDevice(aheadMs: number): { readonly ports: Partial<ClientPorts>; readonly frames: Frame[] } {
  const frames: Frame[] = []
  const note = (bytes: Uint8Array, names: Dictionary): void => {
    const decoded = decodeFrame(bytes, names)
    if (decoded.ok) frames.push(decoded.value)
  }
  const connect: Connect = (url, events) => {
    const [up, down] = [createDictionary(), createDictionary()]
    return deflating(connectWebSocket)(url, {
      ...events,
      opened: link =>
        events.opened({
          ...link,
          send(bytes) {
            note(bytes, up)
            link.send(bytes)
          },
        }),
      frame(bytes) {
        note(bytes, down)
        events.frame(bytes)
      },
    })
  }
  const runtime = { ...systemRuntime, now: () => systemRuntime.now() + aheadMs }
  return { ports: { runtime, connect, openStorage: createMemoryStorage(), persistence: 'memory' }, frames }
}

async function open(url: string, name: string, ports: Partial<ClientPorts>): Promise<Notes> {
  const replica = await openReplica({
    space: 'clock-skew',
    name: `clock-skew ${name}`,
    collections: { notes },
    relays: [url],
    token: () => name,
    ports,
  })
  onTestFinished(() => replica.close())
  return replica
}

test('[C4] what a device wrote offline with a clock an hour ahead is refused once, made anew, and taken whole', async () => {
  const relay = createRelay({ development: true })
  onTestFinished(() => relay.close())
  const { url } = await relay.listen({ port: 0 })
  const { ports, frames } = createDevice(hour)
  const alice = await open(url, 'alice', ports)
  alice.pause()
  const first = alice.notes.insert({ title: 'a', body: 'written' })
  const second = alice.notes.update(first.id, { title: 'b' })
  const third = alice.notes.insert({ title: 'c' })
  await third.reached('local')
  expect(alice.status.get()).toMatchObject({ pending: 3, clockOffsetMs: 0 })
  alice.resume()
  await Promise.all([first, second, third].map(write => write.reached('relay')))
  await alice.settled()

  expect(alice.status.get()).toMatchObject({ pending: 0, quarantined: 0, synced: true })
  // What an application can show: the relay's time is an hour behind this device's.
  expect(Math.abs(alice.status.get().clockOffsetMs + hour)).toBeLessThan(minute)
  const refusals = frames
    .filter(frame => frame.type === 'verdict')
    .flatMap(({ exceptions }) => exceptions)
    .filter(({ kind }) => kind === 'refused')
  expect(refusals).toMatchObject([{ error: { code: 'clock-skew' } }])
  const last = frames.findLast(frame => frame.type === 'submit')
  for (const { writes } of last?.transactions ?? []) {
    for (const { mark } of writes) expect(Math.abs(mark.ms - systemRuntime.now())).toBeLessThan(minute)
  }
  // From now on its clock is the relay's.
  const sent = frames.length
  await alice.notes.insert({ title: 'd' }).reached('relay')
  const later = frames.slice(sent).filter(frame => frame.type === 'submit')
  expect(later).toHaveLength(1)
  const mark = later[0]?.transactions[0]?.writes[0]?.mark
  expect(Math.abs((mark?.ms ?? 0) - systemRuntime.now())).toBeLessThan(minute / 2)

  const bob = await open(url, 'bob', createDevice(0).ports)
  await bob.settled()
  const titles = bob.notes.query({ orderBy: 'title' }).get()
  expect(titles.map(({ title }) => title)).toEqual(['b', 'c', 'd'])
  const body = bob.notes.text(first.id, 'body')
  await body.whenReady
  expect(body.text.toString()).toBe('written')
})

test('[C4] a clock that is behind loses nothing and wins nothing', async () => {
  const relay = createRelay({ development: true })
  onTestFinished(() => relay.close())
  const { url } = await relay.listen({ port: 0 })
  const alice = await open(url, 'alice', createDevice(-hour).ports)
  alice.pause()
  const { id } = alice.notes.insert({ title: 'early' })
  alice.resume()
  await alice.settled()
  expect(Math.abs(alice.status.get().clockOffsetMs - hour)).toBeLessThan(minute)
  const bob = await open(url, 'bob', createDevice(0).ports)
  await bob.settled()
  alice.notes.update(id, { title: 'hers' })
  bob.notes.update(id, { title: 'his' })
  await alice.settled()
  await bob.settled()
  const [conflict] = bob.conflicts.get()
  expect(conflict?.sides.map(({ value }) => value).sort()).toEqual(['hers', 'his'])
  for (const { when } of conflict?.sides ?? [])
    expect(Math.abs(when - systemRuntime.now())).toBeLessThan(minute)
})
