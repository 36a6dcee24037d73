/** Disks of devices that take nothing for a while, or fail once without saying why. */
import type { FaultWorld, Strike } from './fault.ts'

export function disks({ cluster, say }: FaultWorld): Record<'disk-full' | 'storage-abort', Strike> {
  const { chance, clock } = cluster
  return {
    'disk-full'() {
      const device = chance.pick(cluster.devices)
      say(`the disk of ${device.name} is full for a while`)
      device.disk.fail('storage-full')
      clock.after(chance.below(3000), () => device.disk.fail(null))
      return true
    },
    'storage-abort'() {
      const device = chance.pick(cluster.devices)
      say(`the next transaction on ${device.name} is aborted`)
      device.disk.abortNext()
      return true
    },
  }
}
