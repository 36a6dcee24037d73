/** Tabs in the background that stop, hold on to their locks, and go on later as if nothing had been. */
import type { OpenTab } from '../cluster.ts'
import type { FaultWorld, Strike } from './fault.ts'

export interface Freezing {
  readonly strikes: Record<'freeze' | 'duplicate-connection', Strike>
  /** Some of those that are frozen go on. */
  thawSome(): void
  thawAll(): void
}

export function freezing({ people, cluster, pickTab, say }: FaultWorld): Freezing {
  const { chance, clock } = cluster
  const frozen: OpenTab[] = []
  return {
    strikes: {
      freeze() {
        const open = pickTab()
        if (open === null) return false
        say(`a tab of ${open.device.name} freezes`)
        open.tab.scope.freeze()
        frozen.push(open)
        return true
      },
      async 'duplicate-connection'() {
        const device = chance.pick(cluster.devices)
        while (device.tabs.length < 2) if ((await people.open(device)) === null) return false
        const [first] = cluster.tabs.filter(open => open.device === device && !open.tab.scope.frozen)
        if (first === undefined) return false
        say(`a tab of ${device.name} freezes until another one has taken over`)
        first.tab.scope.freeze()
        await clock.advance(16_000)
        first.tab.scope.thaw()
        return true
      },
    },
    thawSome() {
      if (frozen.length > 0 && chance.chance(0.1)) frozen.shift()?.tab.scope.thaw()
    },
    thawAll() {
      for (const { tab } of frozen) tab.scope.thaw()
    },
  }
}
