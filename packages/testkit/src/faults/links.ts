/** Links that are cut, and answers that get lost on them. */
import type { FaultWorld, Strike } from './fault.ts'

export function links({ cluster, say }: FaultWorld): Record<'cut' | 'silent-cut' | 'lost-verdict', Strike> {
  const { chance, clock, network } = cluster

  function cutOne(how: 'told' | 'silent'): boolean {
    const relay = chance.pick(cluster.relays)
    const peers = cluster.relays.filter(one => one !== relay).map(({ url }) => url)
    const name = chance.pick([...cluster.devices.map(device => device.name), ...peers])
    say(`${name} and ${relay.url} are cut (${how})`)
    network.cut(name, relay.url, how)
    clock.after(chance.below(20_000), () => network.heal(name, relay.url))
    return true
  }

  return {
    cut: () => cutOne('told'),
    'silent-cut': () => cutOne('silent'),
    // It counts when one is lost.
    'lost-verdict'() {
      chance.pick(cluster.relays).loseVerdict()
      return false
    },
  }
}
