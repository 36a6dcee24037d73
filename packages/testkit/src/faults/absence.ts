/** Time in which devices are away, while others delete, and forget what was deleted (SPEC D2). */
import { yearMs } from './clocks.ts'
import type { FaultWorld, Strike } from './fault.ts'
import { fillJournal } from './journals.ts'

/** Tombstones are forgotten after 90 days. */
const seasonMs = 100 * 24 * 3_600_000

export function absence(world: FaultWorld): Record<'long-absence' | 'forgetting', Strike> {
  const { cluster, people, pickTab, say } = world
  const { chance, clock } = cluster
  let absences = 0
  let seasons = 0

  function closeAll(): void {
    for (const device of cluster.devices) device.crash()
  }

  return {
    async 'long-absence'() {
      if (absences > 0 || cluster.devices.length < 2) return false
      absences += 1
      const away = chance.pick(cluster.devices)
      const writing = pickTab()
      if (writing !== null) await fillJournal(world, writing)
      const peers = cluster.devices.filter(device => device !== away)
      say(`${away.name} goes away for three years`)
      away.crash()
      // Those that stay delete what is old, and forget it when they come again.
      for (let visit = 0; visit < 2; visit++) {
        closeAll()
        clock.leap(1.5 * yearMs)
        for (const device of peers) await people.open(device)
        cluster.linkPeers()
        await clock.advance(1000)
        for (let i = 0; i < 4; i++) {
          const open = pickTab()
          if (open !== null) people.act(open)
          await clock.advance(500)
        }
        await clock.advance(70_000)
      }
      return true
    },
    /** One device forgets while all others are closed; they come back with what they had. */
    async forgetting() {
      const device = chance.pick(cluster.devices)
      if (seasons > 1) return false
      const open = cluster.tabs.find(one => one.device === device) ?? (await people.open(device))
      if (open === null || open.tab.scope.frozen || !(await fillJournal(world, open))) return false
      seasons += 1
      say(`${device.name} alone is there after a hundred days`)
      closeAll()
      clock.leap(seasonMs)
      await people.open(device)
      cluster.linkPeers()
      await clock.advance(75_000)
      return true
    },
  }
}
