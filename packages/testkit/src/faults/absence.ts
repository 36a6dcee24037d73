/** Years in which a device is away, and the others delete, and forget what was deleted (SPEC D2). */
import { yearMs } from './clocks.ts'
import type { FaultWorld, Strike } from './fault.ts'

export function absence({ people, cluster, pickTab, say }: FaultWorld): Record<'long-absence', Strike> {
  const { chance, clock } = cluster
  let absences = 0

  /** Journals so long that pages are written, without which no tombstone is forgotten. */
  async function fillJournals(): Promise<void> {
    const open = pickTab()
    if (open === null) return
    const value = 'x'.repeat(240_000)
    try {
      for (let i = 0; i < 6; i++) {
        open.replica.ballast.insert({ value: `${i}${value}` })
        await clock.advance(500)
      }
    } catch {
      // A tab whose store is gone takes no ballast.
    }
    await clock.advance(20_000)
  }

  return {
    async 'long-absence'() {
      if (absences > 0 || cluster.devices.length < 2) return false
      absences += 1
      const away = chance.pick(cluster.devices)
      await fillJournals()
      const peers = cluster.devices.filter(device => device !== away)
      say(`${away.name} goes away for three years`)
      away.crash()
      // Those that stay delete what is old, and forget it.
      for (let visit = 0; visit < 3; visit++) {
        for (const device of cluster.devices) device.crash()
        clock.leap(yearMs)
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
  }
}
