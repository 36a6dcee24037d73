/** Permissions that are taken away for a while: a user may only read, at one relay or at all (SPEC Q4). */
import type { Cluster } from '../cluster.ts'
import type { FaultWorld, Strike } from './fault.ts'

export function permissions({ cluster, say }: FaultWorld): Record<'read-only', Strike> {
  const { chance, clock, readers } = cluster

  return {
    'read-only'() {
      const { name, user } = chance.pick(cluster.devices)
      const urls = chance.chance(0.5)
        ? [chance.pick(cluster.relays).url]
        : cluster.relays.map(({ url }) => url)
      say(`${user} may only read at ${urls.join(', ')}`)
      for (const url of urls) readers.add(user, url)
      askAnew(cluster, name)
      clock.after(chance.below(20_000), () => {
        // It was given back before, with those of others or as the faults stopped.
        if (!urls.some(url => readers.has(user, url))) return
        for (const url of urls) readers.delete(user, url)
        askAnew(cluster, name)
      })
      return true
    },
  }
}

/** What a session is permitted is settled as it begins. */
export function askAnew({ relays, network }: Cluster, device: string): void {
  for (const { url } of relays) {
    network.cut(device, url, 'told')
    network.heal(device, url)
  }
}
