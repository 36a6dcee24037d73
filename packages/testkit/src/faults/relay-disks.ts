/** Relays that lose what they had: put back to an older image, replaced by a copy, or gone for good. */
import type { MemoryImage } from '@rejoin/relay/kernel'
import { strikeDisks } from '../holders.ts'
import type { FaultWorld, Strike } from './fault.ts'

export function relayDisks({
  cluster,
  people,
  pickTab,
  say,
}: FaultWorld): Record<'relay-rollback' | 'relay-copy' | 'relay-loss', Strike> {
  const { chance, clock } = cluster
  const images = new Map<string, MemoryImage>()
  const strike = (disaster: () => void | Promise<void>): Promise<void> =>
    strikeDisks(cluster, people.applications, disaster)

  return {
    async 'relay-rollback'() {
      const relay = chance.pick(cluster.relays)
      const image = images.get(relay.url)
      if (image === undefined || chance.chance(0.4)) {
        images.set(relay.url, relay.image())
        say(`an image of ${relay.url} is taken`)
        return false
      }
      say(`${relay.url} is put back to its image`)
      await strike(async () => {
        relay.crash()
        relay.restore(image)
        await relay.start()
      })
      return true
    },
    /** A copied data folder comes up in the place of the old one, whose process goes on with those that it serves. */
    async 'relay-copy'() {
      const relay = chance.pick(cluster.relays)
      if (!relay.alive) return false
      say(`a copy of ${relay.url} takes its place`)
      const old = await relay.replaceByCopy(images.get(relay.url) ?? relay.image())
      for (let i = 0; i < 5; i++) {
        const open = pickTab()
        if (open !== null) people.act(open)
        if (open !== null && chance.chance(0.3)) await people.open(open.device)
        cluster.linkPeers()
        await clock.advance(chance.below(800))
      }
      await strike(old.kill)
      return true
    },
    /** Only what nobody else has on a disk may be lost with it. */
    async 'relay-loss'() {
      const others = cluster.relays.filter(cluster.isSpare)
      if (others.length === 0) return false
      const relay = chance.pick(others)
      say(`${relay.url} is gone for good`)
      await strike(() => cluster.lose(relay))
      return true
    },
  }
}
