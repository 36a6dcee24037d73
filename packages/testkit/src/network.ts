/**
 * A simulated network: links carry whole frames in order, with latency, until they are cut. A cut may be noticed by
 * both ends, by one, or by none for a while (half-open), as with TCP. What is in a frame is none of its business.
 */
import type { Link, LinkEvents } from '@rejoin/core'
import type { SessionLink } from '@rejoin/relay/kernel'
import type { Chance } from './chance.ts'
import type { SimulatedClock } from './clock.ts'
import type { Scope } from './scope.ts'

export interface SimulatedNetwork {
  /** Makes a relay reachable under a URL, while its scope lives. */
  serve(url: string, relay: ServingRelay): void
  /** How somebody called `name` opens links. */
  connectFrom(name: string, scope: Scope): (url: string, events: SimulatedLinkEvents) => () => void
  /**
   * Between a caller and a URL: no new links, and what is open is cut. `silent`: the ends are not told. `up`, `down`:
   * the same, of what goes to the relay alone, or of what comes from it.
   */
  cut(name: string, url: string, how: 'told' | 'silent' | 'up' | 'down'): void
  heal(name: string, url: string): void
  healAll(): void
  /** Milliseconds that a frame takes, at least and at most. */
  latency(min: number, max: number): void
  /** The latency that there was at first. */
  quicken(): void
  /** Ends every link of a caller or a URL, as when its process dies. */
  drop(nameOrUrl: string): void
  /** How many links to a URL are open. */
  openLinks(url: string): number
  readonly counts: { opened: number; frames: number; bytes: number; cuts: number }
}

/** The caller's end, which may be held back as a relay's may. */
export interface SimulatedLink extends Link, Pick<SessionLink, 'pause' | 'resume'> {}

export interface SimulatedLinkEvents extends Omit<LinkEvents, 'opened'> {
  readonly opened: (link: SimulatedLink) => void
}

export interface ServingRelay {
  readonly scope: Scope
  attach(link: SessionLink): ServedSession
}

/** What takes a caller's frames. */
export interface ServedSession {
  receive(bytes: Uint8Array): void
  /** What was buffered towards the caller has gone. */
  drained(): void
  /** Once; nothing comes after it. */
  closed(): void
}

interface Lane {
  send(run: () => void): void
  /** What comes waits in the network. */
  pause(): void
  resume(): void
}

interface Wire {
  readonly name: string
  readonly url: string
  /** Of several processes that serve the URL one after the other, the one that has it. */
  readonly relay: ServingRelay
  open: boolean
  /** Cut without telling: nothing passes, and nobody knows. */
  dead: boolean
  /** A direction in which nothing passes, and nobody knows. */
  deaf: 'up' | 'down' | null
  /** Closed, but what was on its way to the caller arrives before the caller is told. */
  lingers: boolean
  close(tellCaller: boolean, tellRelay: boolean, code: number): void
}

/** After how long a relay's socket gives up a caller that says nothing any more. */
const pingMs = 50_000

/** Milliseconds that a frame takes, unless it is said otherwise. */
const quickest = 1
const quick = 30

export function createSimulatedNetwork(clock: SimulatedClock, chance: Chance): SimulatedNetwork {
  const relays = new Map<string, ServingRelay>()
  const cuts = new Set<string>()
  const wires = new Set<Wire>()
  const counts = { opened: 0, frames: 0, bytes: 0, cuts: 0 }
  let delayMin = quickest
  let delayMax = quick

  const delay = (): number => delayMin + chance.next() * (delayMax - delayMin)

  /** One direction: in order, each frame after its own delay, but never before the one ahead of it. */
  function createLane(): Lane {
    let last = 0
    let isPaused = false
    const waiting: (() => void)[] = []
    return {
      send(run) {
        last = Math.max(last, clock.time + delay())
        clock.after(last - clock.time, () => {
          if (isPaused) waiting.push(run)
          else run()
        })
      },
      pause() {
        isPaused = true
      },
      resume() {
        isPaused = false
        // Each of them may have what follows held back again.
        while (!isPaused) {
          const run = waiting.shift()
          if (run === undefined) return
          run()
        }
      },
    }
  }

  /** How the end that a lane leads to has it wait. */
  function heldBack(lane: Lane): Pick<SessionLink, 'pause' | 'resume'> {
    return {
      pause() {
        lane.pause()
        return true
      },
      resume: lane.resume,
    }
  }

  /** Returns how the caller takes its wish back, until it has the link. */
  function establish(
    name: string,
    url: string,
    scope: Scope,
    relay: ServingRelay,
    events: SimulatedLinkEvents,
  ): () => void {
    const up = createLane()
    const down = createLane()
    let session: ServedSession | null = null
    let upBytes = 0
    let downBytes = 0
    let callerKnows = false
    let relayKnows = false
    /** Whoever closed a link hears no more frames of it, not even those that had already come. */
    let listening = true
    counts.opened += 1

    const wire: Wire = {
      name,
      url,
      relay,
      open: true,
      dead: false,
      deaf: null,
      lingers: false,
      close(tellCaller, tellRelay, code) {
        wire.open = false
        if (tellCaller && !callerKnows) {
          callerKnows = true
          if (wire.lingers) down.send(() => void scope.after(0, () => events.closed(code, '')))
          else scope.after(delay(), () => events.closed(code, ''))
        }
        if (tellRelay && !relayKnows) {
          relayKnows = true
          relay.scope.after(delay(), () => session?.closed())
        }
        if (callerKnows && relayKnows) wires.delete(wire)
      },
    }
    wires.add(wire)
    // Of a process that died the relay is told, or misses the answers to its pings.
    scope.onKill(() => {
      if (chance.chance(0.8)) wire.close(false, !wire.dead && wire.deaf !== 'up', 1006)
      else clock.after(pingMs, () => wire.close(false, true, 1006))
    })
    const carries = (): boolean => wire.open && !wire.dead

    const sessionLink: SessionLink = {
      address: name,
      buffered: () => downBytes,
      ...heldBack(up),
      send(bytes) {
        if (!relay.scope.alive || !carries()) return
        downBytes += bytes.length
        counts.frames += 1
        counts.bytes += bytes.length
        down.send(() => {
          downBytes -= bytes.length
          if ((!carries() && !wire.lingers) || wire.deaf === 'down' || !scope.alive) return
          const deliver = (): void => void (listening && events.frame(bytes))
          if (scope.frozen) scope.after(0, deliver)
          else deliver()
          if (downBytes === 0) session?.drained()
        })
      },
      close(code, reason) {
        if (!wire.open) return
        // What nobody is told of tells nobody anything: the caller finds out by the silence.
        if (wire.dead || wire.deaf === 'down') return void wire.close(false, true, code)
        down.send(() => {
          if (!carries()) return
          callerKnows = true
          wire.close(false, true, code)
          scope.after(0, () => events.closed(code, reason))
        })
      },
    }
    const link: SimulatedLink = {
      buffered: () => upBytes,
      ...heldBack(down),
      send(bytes) {
        if (!scope.alive || !carries()) return
        upBytes += bytes.length
        counts.frames += 1
        counts.bytes += bytes.length
        up.send(() => {
          upBytes -= bytes.length
          if (carries() && wire.deaf !== 'up' && relay.scope.alive) session?.receive(bytes)
        })
      },
      close(code = 1000, reason = '') {
        listening = false
        if (!callerKnows) {
          callerKnows = true
          scope.after(0, () => events.closed(code, reason))
        }
        wire.close(false, !wire.dead && wire.deaf !== 'up', code)
      },
    }
    scope.after(0, () => void (listening && events.opened(link)))
    session = relay.attach(sessionLink)
    return () => {
      listening = false
      callerKnows = true
      wire.close(false, !wire.dead && wire.deaf !== 'up', 1000)
    }
  }

  const nameOf = (name: string, url: string): string => `${name} ${url}`

  return {
    counts,
    serve(url, relay) {
      relays.set(url, relay)
      relay.scope.onKill(() => {
        if (relays.get(url) === relay) relays.delete(url)
        for (const wire of [...wires]) {
          if (wire.relay !== relay) continue
          // What a process had handed to the network may arrive although it died.
          wire.lingers = wire.open && !wire.dead && chance.chance(0.5)
          wire.close(wire.lingers || chance.chance(0.8), false, 1006)
        }
      })
    },
    connectFrom: (name, scope) => (url, events) => {
      let isGivenUp = false
      let takeBack: (() => void) | null = null
      scope.after(delay(), () => {
        if (isGivenUp) return
        const relay = relays.get(url)
        if (relay === undefined || !relay.scope.alive || cuts.has(nameOf(name, url)))
          return events.closed(1006, 'unreachable')
        const opened = (link: SimulatedLink): void => {
          takeBack = null
          events.opened(link)
        }
        takeBack = establish(name, url, scope, relay, { ...events, opened })
      })
      return () => {
        isGivenUp = true
        takeBack?.()
      }
    },
    cut(name, url, how) {
      counts.cuts += 1
      cuts.add(nameOf(name, url))
      for (const wire of [...wires]) {
        if (wire.name !== name || wire.url !== url) continue
        if (how === 'told') wire.close(true, true, 1006)
        else {
          // A direction in which something was lost carries nothing again, or what comes next would seem to follow it.
          if (how === 'silent' || (wire.deaf !== null && wire.deaf !== how)) wire.dead = true
          else wire.deaf = how
          // A relay misses the answers to its pings.
          clock.after(pingMs, () => wire.close(false, true, 1006))
        }
      }
    },
    heal: (name, url) => void cuts.delete(nameOf(name, url)),
    healAll: () => cuts.clear(),
    quicken() {
      delayMin = quickest
      delayMax = quick
    },
    latency(min, max) {
      delayMin = min
      delayMax = max
    },
    openLinks: url => [...wires].filter(wire => wire.url === url && wire.open).length,
    drop(nameOrUrl) {
      for (const wire of [...wires]) {
        if (wire.name === nameOrUrl) wire.close(false, true, 1006)
        if (wire.url === nameOrUrl) wire.close(true, false, 1006)
      }
    },
  }
}
