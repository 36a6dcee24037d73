/** Which relays are peers of which, and the links between them, one for each pair and space. */
import { decodeFrame } from '@rejoin/core'
import type { SessionLink } from '@rejoin/relay/kernel'
import type { SimulatedNetwork } from './network.ts'
import type { SimulatedRelay } from './relay.ts'

/** How relays are linked; who comes first dials. */
export type Links = 'line' | 'ring' | 'mesh'

export interface Peering {
  /** Links every pair where it is not linked. */
  link(): void
}

export function createPeering(
  relays: readonly SimulatedRelay[],
  links: Links,
  spaces: readonly string[],
  network: SimulatedNetwork,
  note: (error: unknown) => void,
): Peering {
  const linked = new Set<string>()

  function dial(from: SimulatedRelay, to: SimulatedRelay, space: string): void {
    const pair = `${from.url} ${to.url} ${space}`
    if (linked.has(pair) || !from.alive || !to.alive) return
    linked.add(pair)
    const { scope, kernel } = from
    let session: ReturnType<typeof kernel.dial> | null = null
    let isOver = false
    // A link that ended may hear of its end once more, long after another one took its place.
    const unlink = (): void => {
      if (isOver) return
      isOver = true
      linked.delete(pair)
      if (scope.alive) session?.closed()
    }
    scope.onKill(unlink)
    // Who dials peers notices a silent one by its missing heartbeats; here it is told.
    to.scope.onKill(unlink)
    network.connectFrom(from.url, scope)(to.url, {
      opened(opened) {
        const peer: SessionLink = {
          address: to.url,
          send: bytes => opened.send(bytes),
          buffered: () => opened.buffered(),
          close: code => opened.close(code),
        }
        session = kernel.dial(space, peer)
      },
      frame(bytes) {
        const decoded = decodeFrame(bytes)
        if (decoded.ok) session?.receive(decoded.value)
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

export function pairsOf<T>(all: readonly T[], links: Links): readonly (readonly [T, T])[] {
  const pairs = all.flatMap((from, i) => all.slice(i + 1).map(to => [from, to] as const))
  if (links === 'mesh') return pairs
  const [first, last] = [all[0], all.at(-1)]
  return pairs.filter(([from, to]) => {
    const isNext = all.indexOf(to) === all.indexOf(from) + 1
    return isNext || (links === 'ring' && from === first && to === last)
  })
}
