/** When a client connects, gives up, comes back, and when it does not. */
import { failure } from '@rejoin/core'
import { describe, expect, it } from 'vitest'
import { createWorld, until, within, type RelayEnd } from './engine-world.ts'

function gapsOf(times: readonly number[]): readonly number[] {
  return times.slice(1).map((time, i) => time - (times[i] ?? 0))
}

describe('back-off', () => {
  it('a relay that closes each link at once is asked ever more rarely, by chance within a range that is capped', async () => {
    const world = createWorld()
    const relay = world.play('ws://relay', { hello: end => end.close(1011) })
    const alice = await world.open(world.device.openTab())
    await world.clock.advance(30 * 60_000)
    const gaps = gapsOf(relay.openings)
    expect(gaps[0]).toBeLessThan(700)
    expect(Math.max(...gaps)).toBeLessThan(30_200)
    // Half an hour holds about 120 draws out of 0 to 30 s.
    expect(relay.openings.length).toBeGreaterThan(60)
    expect(relay.openings.length).toBeLessThan(240)
    expect(new Set(gaps.map(Math.round)).size).toBeGreaterThan(50)
    expect(alice.status.get()).toMatchObject({ synced: false })
  })

  it('who had no network for a while tries again within as long, however often they tried meanwhile', async () => {
    const late: number[] = []
    for (let seed = 1; seed <= 40; seed++) {
      const world = createWorld(seed)
      const relay = world.play('ws://relay', { hello: end => end.close(1011) })
      await world.open(world.device.openTab())
      await world.clock.advance(60_000)
      const [first = 0] = relay.openings
      for (const [i, gap] of gapsOf(relay.openings).entries())
        late.push(gap - ((relay.openings[i] ?? first) - first))
    }
    // The least range, and what a link takes until it is closed.
    expect(Math.max(...late)).toBeLessThan(500 + 200)
  })

  it('two clients that were thrown out together do not come back together', async () => {
    const first = createWorld(1)
    const second = createWorld(2)
    const times: number[][] = []
    for (const world of [first, second]) {
      const relay = world.play('ws://relay', { hello: end => end.close(1012) })
      await world.open(world.device.openTab())
      await world.clock.advance(60_000)
      times.push(relay.openings.map(Math.round))
    }
    expect(times[0]).not.toEqual(times[1])
  })

  it('a relay that says when to come back is not asked before, not even when the network is there again', async () => {
    const world = createWorld()
    const relay = world.play('ws://relay', {
      hello: end => end.send({ type: 'bye', retryAfterMs: 20_000 }),
    })
    const tab = world.device.openTab()
    await world.open(tab)
    await until(world.clock, () => relay.hellos.length === 1)
    for (let i = 0; i < 15; i++) {
      await world.clock.advance(1000)
      tab.happen('online')
    }
    expect(relay.hellos).toHaveLength(1)
    await world.clock.advance(20_000)
    expect(relay.hellos).toHaveLength(2)
  })

  it('`overloaded` carries its own time', async () => {
    const world = createWorld()
    const relay = world.play('ws://relay', {
      hello: end => end.refuse(failure('overloaded', { retryAfterMs: 8000 }), 1013),
    })
    const alice = await world.open(world.device.openTab())
    await world.clock.advance(7900)
    expect(relay.hellos).toHaveLength(1)
    expect(alice.status.get()).toMatchObject({ connection: 'offline', reason: 'overloaded' })
  })

  it('when the network is there again it tries at once, but a flickering one does not make a storm', async () => {
    const world = createWorld()
    const relay = world.play('ws://relay', { hello: end => end.close(1011) })
    const tab = world.device.openTab()
    await world.open(tab)
    await world.clock.advance(5 * 60_000)
    const before = relay.openings.length
    tab.happen('online')
    await world.clock.advance(100)
    expect(relay.openings.length).toBe(before + 1)
    for (let i = 0; i < 1000; i++) {
      tab.happen(i % 2 === 0 ? 'online' : 'visible')
      await world.clock.advance(10)
    }
    expect(relay.openings.length - before).toBeLessThan(13)
  })
})

describe('deadlines', () => {
  it('a hello that is not answered within 10 s is given up', async () => {
    const world = createWorld()
    const relay = world.play('ws://relay', {})
    await world.open(world.device.openTab())
    await until(world.clock, () => relay.openings.length === 2)
    const [gap = 0] = gapsOf(relay.openings)
    expect(gap).toBeGreaterThan(9_900)
    expect(gap).toBeLessThan(11_200)
  })

  it('a link that does not open within 10 s is given up', async () => {
    const world = createWorld()
    const asked: number[] = []
    const tab = world.device.openTab()
    await world.open(tab, {
      ports: {
        ...tab.ports,
        connect: () => {
          asked.push(world.time)
          return () => {}
        },
      },
    })
    await until(world.clock, () => asked.length === 2)
    expect(gapsOf(asked)[0]).toBeGreaterThan(9_900)
    expect(gapsOf(asked)[0]).toBeLessThan(11_200)
  })

  it('a session that hears nothing for 25 s is given up, and one with heartbeats is not', async () => {
    const world = createWorld()
    let end: RelayEnd | null = null
    const relay = world.play('ws://relay', {
      hello(opened) {
        end = opened
        opened.welcome()
      },
    })
    const alice = await world.open(world.device.openTab())
    await until(world.clock, () => alice.status.get().connection === 'online')
    for (let i = 0; i < 12; i++) {
      await world.clock.advance(10_000)
      ;(end as RelayEnd | null)?.send({ type: 'heartbeat', position: 0, time: world.time })
    }
    expect(relay.openings).toHaveLength(1)
    const silent = world.time
    await until(world.clock, () => relay.openings.length === 2)
    expect((relay.openings[1] ?? 0) - silent).toBeGreaterThan(20_000)
    expect((relay.openings[1] ?? 0) - silent).toBeLessThan(27_000)
  })

  it('after a sleep a half-open link is found out by a question, not by waiting', async () => {
    const world = createWorld()
    await world.relay.start()
    const tab = world.device.openTab()
    const alice = await world.open(tab)
    await until(world.clock, () => alice.status.get().synced)
    world.network.cut('alice', 'ws://relay', 'silent')
    world.network.heal('alice', 'ws://relay')
    tab.happen('online')
    const opened = world.network.counts.opened
    const waited = await until(world.clock, () => world.network.counts.opened > opened)
    expect(waited).toBeLessThan(11_500)
    await until(world.clock, () => alice.status.get().synced)
  })
})

describe('what a relay says for good', () => {
  it.each([
    [4400, 'malformed-frame'],
    [4403, 'not-permitted'],
    [4426, 'protocol-version'],
  ] as const)('after close code %i it does not ask again until it is told to', async (code, reason) => {
    const world = createWorld()
    const relay = world.play('ws://relay', { hello: end => end.close(code) })
    const tab = world.device.openTab()
    const alice = await world.open(tab)
    await world.clock.advance(60_000)
    tab.happen('online')
    await world.clock.advance(10 * 60_000)
    expect(relay.openings).toHaveLength(1)
    expect(alice.status.get()).toMatchObject({ connection: 'paused', reason })
    relay.script = { hello: end => end.welcome() }
    alice.resume()
    await until(world.clock, () => alice.status.get().connection === 'online')
    expect(alice.status.get().reason).toBeUndefined()
  })

  it('a frame that cannot be read ends the session, which begins again after a while', async () => {
    const world = createWorld()
    const tab = world.device.openTab()
    let links = 0
    await world.open(tab, {
      ports: {
        ...tab.ports,
        connect: (_url, events) => {
          links += 1
          tab.ports.runtime.after(5, () => {
            events.opened({ send: () => {}, buffered: () => 0, close: () => {} })
            events.frame(new Uint8Array([255, 255, 255]))
          })
          return () => {}
        },
      },
    })
    await world.clock.advance(10 * 60_000)
    expect(links).toBeGreaterThan(5)
    expect(links).toBeLessThan(100)
  })
})

describe('tokens', () => {
  it('[Q4] one that is refused is asked for anew, once for each attempt', async () => {
    const world = createWorld()
    const relay = world.play('ws://relay', {
      hello: end => end.refuse(failure('unauthenticated', { reason: 'expired' }), 4401),
    })
    let asked = 0
    const alice = await world.open(world.device.openTab(), {
      token: () => {
        asked += 1
        return 'expired'
      },
    })
    await world.clock.advance(10 * 60_000)
    expect(asked).toBe(relay.hellos.length)
    expect(asked).toBeLessThan(100)
    expect(alice.status.get()).toMatchObject({ connection: 'paused', reason: 'unauthenticated' })
  })

  it('one that is taken is kept when the link is lost', async () => {
    const world = createWorld()
    let end: RelayEnd | null = null
    const relay = world.play('ws://relay', {
      hello(opened) {
        end = opened
        opened.welcome()
      },
    })
    let asked = 0
    await world.open(world.device.openTab(), { token: () => `token ${++asked}` })
    for (let i = 1; i < 4; i++) {
      await until(world.clock, () => relay.hellos.length === i)
      await world.clock.advance(8000)
      ;(end as RelayEnd | null)?.close(1012)
    }
    await until(world.clock, () => relay.hellos.length === 4)
    expect(new Set(relay.tokens)).toEqual(new Set(['token 1']))
  })

  it('[Q4] one that is on its way while the application goes offline and online again is waited for, and not given up', async () => {
    const world = createWorld()
    world.play('ws://relay', { hello: end => end.welcome() })
    let asked = 0
    const tab = world.device.openTab()
    const alice = await world.open(tab, {
      token() {
        asked += 1
        const slow = asked === 1 ? 3000 : 6000
        return new Promise(resolve => void tab.ports.runtime.after(slow, () => resolve(`token ${asked}`)))
      },
    })
    const reasons = new Set<unknown>()
    alice.status.subscribe(({ reason }) => reasons.add(reason))
    await world.clock.advance(500)
    alice.pause()
    await world.clock.advance(500)
    alice.resume()
    await until(world.clock, () => alice.status.get().connection === 'online', 10_000)
    expect(reasons).toEqual(new Set([undefined]))
    expect(asked).toBe(1)
  })

  it.each([
    ['rejects', () => Promise.reject(new Error('signed out'))],
    [
      'throws',
      () => {
        throw new Error('signed out')
      },
    ],
    ['gives no text', () => Promise.resolve(undefined as never)],
  ] as const)('a function that %s is asked again after a while, and never in a loop', async (_, token) => {
    const world = createWorld()
    const relay = world.play('ws://relay', {})
    let asked = 0
    const alice = await world.open(world.device.openTab(), {
      token: () => {
        asked += 1
        return token()
      },
    })
    await world.clock.advance(10 * 60_000)
    expect(asked).toBeGreaterThan(10)
    expect(asked).toBeLessThan(100)
    expect(relay.openings).toHaveLength(0)
    expect(alice.status.get()).toMatchObject({ connection: 'offline', reason: 'unauthenticated' })
  })

  it('a function that hangs is given up after 10 s', async () => {
    const world = createWorld()
    let asked = 0
    const alice = await world.open(world.device.openTab(), {
      token: () => {
        asked += 1
        return asked === 1 ? new Promise<string>(() => {}) : 'alice'
      },
    })
    const relay = world.play('ws://relay', { hello: end => end.welcome() })
    const waited = await until(world.clock, () => relay.hellos.length === 1)
    expect(waited).toBeGreaterThan(9_000)
    expect(waited).toBeLessThan(11_500)
    await until(world.clock, () => alice.status.get().connection === 'online')
  })
})

describe('several relays', () => {
  it('when one fails the next is taken, and kept', async () => {
    const world = createWorld()
    let end: RelayEnd | null = null
    const a = world.play('ws://a', {
      hello(opened) {
        end = opened
        opened.welcome()
      },
    })
    const b = world.play('ws://b', { hello: opened => opened.welcome() })
    const alice = await world.open(world.device.openTab(), { relays: ['ws://a', 'ws://b'] })
    await until(world.clock, () => alice.status.get().connection === 'online')
    expect([a.hellos.length, b.hellos.length]).toEqual([1, 0])
    ;(end as RelayEnd | null)?.close(1012)
    await until(world.clock, () => b.hellos.length === 1)
    await until(world.clock, () => alice.status.get().connection === 'online')
    expect([a.hellos.length, b.hellos.length]).toEqual([1, 1])
  })

  it('one that asked for time is left alone while another one is there', async () => {
    const world = createWorld()
    const a = world.play('ws://a', { hello: end => end.send({ type: 'bye', retryAfterMs: 60_000 }) })
    const b = world.play('ws://b', { hello: end => end.close(1011) })
    await world.open(world.device.openTab(), { relays: ['ws://a', 'ws://b'] })
    await world.clock.advance(30_000)
    expect(a.hellos).toHaveLength(1)
    expect(b.hellos.length).toBeGreaterThan(2)
  })

  it('it stops when all of them said no for good', async () => {
    const world = createWorld()
    const a = world.play('ws://a', { hello: end => end.close(4403) })
    const b = world.play('ws://b', { hello: end => end.close(4426) })
    const alice = await world.open(world.device.openTab(), { relays: ['ws://a', 'ws://b'] })
    await world.clock.advance(5 * 60_000)
    expect([a.hellos.length, b.hellos.length]).toEqual([1, 1])
    expect(alice.status.get()).toMatchObject({ connection: 'paused', reason: 'protocol-version' })
  })

  it('without any it is a replica of its own', async () => {
    const world = createWorld()
    const alice = await world.open(world.device.openTab(), { relays: [] })
    const note = alice.notes.insert({ title: 'a', color: 'b' })
    await within(world.clock, note.reached('local'))
    await expect(note.reached('relay')).rejects.toMatchObject({
      code: 'ack-unavailable',
      details: { wanted: 'relay', available: ['local'] },
    })
    expect(alice.status.get()).toMatchObject({ connection: 'offline', reason: undefined, relays: [] })
  })
})
