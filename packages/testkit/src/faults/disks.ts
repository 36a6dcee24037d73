/** Disks that take nothing for a while, of devices and of relays; that fail once without saying why; and slow ones. */
import type { FaultWorld, Strike } from './fault.ts'

export function disks({
  cluster,
  say,
}: FaultWorld): Record<'disk-full' | 'storage-abort' | 'slow-disk' | 'relay-full', Strike> {
  const { chance, clock } = cluster
  return {
    'disk-full'() {
      const device = chance.pick(cluster.devices)
      say(`the disk of ${device.name} is full for a while`)
      device.disk.fail('storage-full')
      clock.after(chance.below(3000), () => device.disk.fail(null))
      return true
    },
    // It counts when it refuses a commit.
    'relay-full'() {
      const relay = chance.pick(cluster.relays)
      const often = chance.pick([0.3, 0.7, 1])
      say(`the disk of ${relay.url} is full for a while, for ${often * 100} of a hundred commits`)
      relay.fullness = often
      clock.after(chance.below(8000), () => (relay.fullness = 0))
      return false
    },
    'storage-abort'() {
      const device = chance.pick(cluster.devices)
      say(`the next transaction on ${device.name} is aborted`)
      device.disk.abortNext()
      return true
    },
    // What a moment separates elsewhere, one write that is on its way to the disk and what is decided meanwhile, meet.
    'slow-disk'() {
      const factor = 10 + chance.below(190)
      const device = chance.chance(0.75) ? chance.pick(cluster.devices) : null
      const relay = chance.pick(cluster.relays)
      const slow = (times: number): void => {
        if (device === null) relay.slowness = times
        else device.disk.slow(times)
      }
      say(`the disk of ${device?.name ?? relay.url} takes ${factor} times as long`)
      slow(factor)
      clock.after(chance.below(20_000), () => slow(1))
      return true
    },
  }
}
