/** The worlds that histories are run in. */
import { everyFault, type HistoryOptions } from '@rejoin/testkit'

export type Topology = Omit<HistoryOptions, 'seed' | 'steps'>

export const topologies: Readonly<Record<string, Topology>> = {
  calm: { relays: 1 },
  one: { relays: 1, faults: everyFault },
  peers: { relays: 2, faults: everyFault },
  line: { relays: 3, links: 'line', faults: everyFault },
  ring: { relays: 4, links: 'ring', ackReplicas: 1, faults: everyFault },
  mesh: { relays: 3, links: 'mesh', faults: everyFault },
  followers: { relays: 3, links: 'followers', faults: everyFault },
  'followers-sync': { relays: 3, links: 'followers', ackReplicas: 1, faults: everyFault },
  chain: { relays: 3, links: 'chain', ackReplicas: 1, faults: everyFault },
  quorum: { relays: 3, links: 'mesh', write: 2, faults: everyFault },
  apart: { relays: 3, links: 'none', write: 2, faults: everyFault },
  lists: { relays: 3, links: 'mesh', ownLists: true, faults: everyFault },
  spaces: { relays: 2, spaces: 2, faults: everyFault },
}
