/** Relays whose process dies: at any moment, at a commit, at a verdict; and those that stay away. */
import type { FaultWorld, Strike } from './fault.ts'

export function relays({
  cluster,
  people,
  pickTab,
  say,
}: FaultWorld): Record<'relay-restart' | 'relay-crash' | 'relay-outage', Strike> {
  const { chance, clock } = cluster
  return {
    async 'relay-restart'() {
      const relay = chance.pick(cluster.relays)
      const open = pickTab()
      // In the middle of what has just been submitted to it, more often than not.
      if (open !== null) people.act(open)
      await clock.advance(chance.below(120))
      if (chance.chance(0.4)) {
        say(`${relay.url} restarts when it has sent a verdict`)
        relay.crashAfterVerdict()
        return true
      }
      say(`${relay.url} restarts`)
      relay.crash()
      await clock.advance(chance.below(500))
      await relay.start()
      return true
    },
    // It counts when it dies.
    'relay-crash'() {
      const relay = chance.pick(cluster.relays)
      const when = chance.pick(['before', 'after'] as const)
      say(`${relay.url} will die ${when === 'before' ? 'before' : 'right after'} its next commit`)
      relay.crashAtCommit(when)
      return false
    },
    'relay-outage'() {
      const relay = chance.pick(cluster.relays)
      say(`${relay.url} is away for a while`)
      relay.crash()
      clock.after(5000 + chance.below(40_000), () => void relay.start())
      return true
    },
  }
}
