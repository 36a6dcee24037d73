/** Disks of devices that are copied to another one, put back to what they were, or emptied by their browser. */
import type { DeviceImage, SimulatedDevice } from '../device.ts'
import { strikeDisks } from '../holders.ts'
import type { FaultWorld, Strike } from './fault.ts'

export function copies({
  cluster,
  people,
  say,
}: FaultWorld): Record<'clone' | 'client-rollback' | 'eviction', Strike> {
  const { chance, clock } = cluster
  const backups = new Map<SimulatedDevice, { readonly image: DeviceImage; readonly at: number }>()
  let clones = 0
  return {
    clone() {
      const device = chance.pick(cluster.devices)
      if (clones > 0 || device.disk.image().size === 0) return false
      clones += 1
      if (chance.chance(0.4)) {
        say(`${cluster.addDevice().name} is new`)
        return false
      }
      device.crash()
      const copy = cluster.clone(device)
      say(`${copy.name} is a copy of ${device.name}`)
      return true
    },
    async 'client-rollback'() {
      const device = chance.pick(cluster.devices)
      const backup = backups.get(device)
      if (backup === undefined) {
        device.crash()
        if (device.disk.image().size > 0) backups.set(device, { image: device.image(), at: clock.time })
        say(`a backup of ${device.name} is made`)
        return false
      }
      say(`${device.name} is put back to its backup`)
      device.crash()
      await strikeDisks(cluster, people.applications, () => device.restore(backup.image))
      // Also of what it had forgotten before (SPEC D2): the backup knows the document as it was.
      for (const { log } of people.applications)
        for (const entry of log) if (entry.device === device && entry.at > backup.at) entry.local = false
      return true
    },
    /** What stands beside the databases stays, and tells of it. */
    async eviction() {
      const device = chance.pick(cluster.devices)
      if (device.disk.image().size === 0) return false
      say(`the browser of ${device.name} drops its databases`)
      device.crash()
      await strikeDisks(cluster, people.applications, () =>
        device.restore({ ...device.image(), disk: new Map() }),
      )
      // Also of what it had forgotten before (SPEC D2): there is no disk any more on which that could be.
      for (const { log } of people.applications)
        for (const entry of log) if (entry.device === device) entry.local = false
      return true
    },
  }
}
