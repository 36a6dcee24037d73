/** What people do that hits the product at a bad moment: other versions, and writing while it is catching up. */
import type { FaultWorld, Strike } from './fault.ts'

export function versions({
  people,
  cluster,
  say,
}: FaultWorld): Record<'schema' | 'write-during-pull', Strike> {
  const { chance, clock } = cluster
  return {
    schema() {
      const device = chance.pick(cluster.devices)
      device.crash()
      device.isNarrow = !device.isNarrow
      say(`${device.name} runs ${device.isNarrow ? 'an older' : 'the newest'} version`)
      return true
    },
    async 'write-during-pull'() {
      const device = chance.pick(cluster.devices)
      if (device.tabs.length > 1) device.crash()
      const open = await people.open(device)
      if (open === null) return false
      for (let i = 0; i < 200 && open.tab.scope.alive; i++) {
        if (open.replica.status.get().connection === 'catching-up') {
          people.act(open)
          people.act(open)
          return true
        }
        await clock.advance(1)
      }
      return false
    },
  }
}
