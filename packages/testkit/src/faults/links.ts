/** Links that are cut, and answers that get lost on them. */
import type { FaultWorld, Strike } from './fault.ts'

export function links({ cluster, say }: FaultWorld): Record<'cut' | 'silent-cut' | 'lost-verdict', Strike> {
  const { chance, clock, network } = cluster

  function cutOne(how: 'told' | 'silent'): boolean {
    const device = chance.pick(cluster.devices)
    const relay = chance.pick(cluster.relays)
    say(`${device.name} and ${relay.url} are cut (${how})`)
    network.cut(device.name, relay.url, how)
    clock.after(chance.below(20_000), () => network.heal(device.name, relay.url))
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
