/** Which relays are peers of which, and the links between them, one for each pair and space. */
import { readFrame } from './frame-reading.ts'
import type { SessionLink } from '@rejoin/relay/kernel'
import type { SimulatedClock } from './clock.ts'
import type { SimulatedNetwork } from './network.ts'
import type { SimulatedRelay } from './relay.ts'

/** How relays are linked; who comes first dials. `none`: they know nothing of each other. */
export type Links = 'none' | 'line' | 'ring' | 'mesh' | 'followers' | 'chain'

export interface Peering {
  /** Links every pair where it is not linked. */
  link(): void
}

const silenceMs = 25_000

export function createPeering(
  relays: readonly SimulatedRelay[],
  links: Links,
  spaces: readonly string[],
  network: SimulatedNetwork,
  clock: SimulatedClock,
  note: (error: unknown) => void,
): Peering {
  /** By pair: when something came over its link last, and how it is given up. */
  const linked = new Map<string, { heardAt: number; drop(): void }>()

  function dial(from: SimulatedRelay, to: SimulatedRelay, space: string): void {
    const pair = `${from.url} ${to.url} ${space}`
    const held = linked.get(pair)
    // A link that was cut without a word is found by the heartbeats that are missing.
    if (held !== undefined && clock.time - held.heardAt > silenceMs) held.drop()
    if (linked.has(pair) || !from.alive || !to.alive) return
    const { scope, kernel } = from
    let session: ReturnType<typeof kernel.dial> | null = null
    let isOver = false
    let giveUp = (): void => {}
    // A link that ended may hear of its end once more, long after another one took its place.
    const unlink = (): void => {
      if (isOver) return
      isOver = true
      linked.delete(pair)
      giveUp()
      if (scope.alive) session?.closed()
    }
    let close = (): void => {}
    const current = {
      heardAt: clock.time,
      drop() {
        close()
        unlink()
      },
    }
    linked.set(pair, current)
    scope.onKill(unlink)
    giveUp = network.connectFrom(from.url, scope)(to.url, {
      opened(opened) {
        // Who dials peers would notice a dead one by its missing heartbeats; here it is told. Which one it has reached is
        // known only now: another may have taken the place of the one that was there when it dialled.
        to.scope.onKill(unlink)
        const peer: SessionLink = {
          address: to.url,
          send: bytes => opened.send(bytes),
          buffered: () => opened.buffered(),
          close: code => opened.close(code),
          pause: () => opened.pause(),
          resume: () => opened.resume(),
        }
        close = () => opened.close()
        session = kernel.dial(space, peer)
      },
      frame(bytes) {
        current.heardAt = clock.time
        const decoded = readFrame(bytes)
        if (decoded.ok) session?.receive(decoded.value, bytes.length)
        else note(new Error(`a relay sent ${JSON.stringify(decoded.error)}`))
      },
      closed: unlink,
    })
  }

  return {
    link() {
      for (const [from, to] of pairsOf(relays, links)) for (const space of spaces) dial(from, to, space)
    },
  }
}

/** Whether all but the first follow whom they dial. */
export function doFollow(links: Links | undefined): boolean {
  return links === 'followers' || links === 'chain'
}

export function pairsOf<T>(all: readonly T[], links: Links): readonly (readonly [T, T])[] {
  const [first, last] = [all[0], all.at(-1)]
  if (doFollow(links)) {
    return all.slice(1).flatMap((follower, i) => {
      const leader = links === 'chain' ? all[i] : first
      return leader === undefined ? [] : [[follower, leader] as const]
    })
  }
  const pairs = all.flatMap((from, i) => all.slice(i + 1).map(to => [from, to] as const))
  if (links === 'none') return []
  if (links === 'mesh') return pairs
  return pairs.filter(([from, to]) => {
    const isNext = all.indexOf(to) === all.indexOf(from) + 1
    return isNext || (links === 'ring' && from === first && to === last)
  })
}
