/** Links that are cut, in one direction or both, or slow, and answers that get lost on them. */
import type { FaultWorld, Strike } from './fault.ts'

const leastMs = { min: 100, max: 1100 }
const slowestByLeast = 4

export function links({
  cluster,
  say,
}: FaultWorld): Record<'cut' | 'silent-cut' | 'half-cut' | 'slow' | 'lost-verdict', Strike> {
  const { chance, clock, network } = cluster

  function cutOne(how: 'told' | 'silent' | 'up' | 'down'): boolean {
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
    'half-cut': () => cutOne(chance.pick(['up', 'down'])),
    slow() {
      const least = leastMs.min + chance.below(leastMs.max - leastMs.min)
      say(`frames take ${least} ms and more`)
      network.latency(least, slowestByLeast * least)
      clock.after(chance.below(20_000), network.quicken)
      return true
    },
    // It counts when one is lost.
    'lost-verdict'() {
      chance.pick(cluster.relays).loseVerdict()
      return false
    },
  }
}
