/** Relays whose process dies, and relays that are put back to an older image. */
import type { MemoryImage } from '@rejoin/relay/kernel'
import type { FaultWorld, Strike } from './fault.ts'

export function relays({
  people,
  cluster,
  pickTab,
  say,
}: FaultWorld): Record<'relay-restart' | 'relay-rollback', Strike> {
  const { chance, clock } = cluster
  const images = new Map<string, MemoryImage>()
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
    async 'relay-rollback'() {
      const relay = chance.pick(cluster.relays)
      const image = images.get(relay.url)
      if (image === undefined || chance.chance(0.4)) {
        images.set(relay.url, relay.image())
        say(`an image of ${relay.url} is taken`)
        return false
      }
      say(`${relay.url} is put back to its image`)
      relay.crash()
      relay.restore(image)
      await relay.start()
      return true
    },
  }
}
