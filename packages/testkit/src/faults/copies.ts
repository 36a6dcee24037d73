/** Disks of devices that are copied to another one, or put back to what they were. */
import type { DeviceImage, SimulatedDevice } from '../device.ts'
import type { FaultWorld, Strike } from './fault.ts'

export function copies({ people, cluster, say }: FaultWorld): Record<'clone' | 'client-rollback', Strike> {
  const { chance } = cluster
  const backups = new Map<SimulatedDevice, DeviceImage>()
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
    'client-rollback'() {
      const device = chance.pick(cluster.devices)
      const backup = backups.get(device)
      if (backup === undefined) {
        device.crash()
        if (device.disk.image().size > 0) backups.set(device, device.image())
        say(`a backup of ${device.name} is made`)
        return false
      }
      say(`${device.name} is put back to its backup`)
      device.crash()
      device.restore(backup)
      // What an older image does not hold is gone from this device; what a relay has stays.
      for (const { log } of people.applications)
        for (const entry of log) if (entry.device === device) entry.local = false
      return true
    },
  }
}
