/** Tabs, browsers and whole devices that are gone at once, in the middle of whatever they did. */
import type { FaultWorld, Strike } from './fault.ts'

export function crashes({
  cluster,
  pickTab,
  say,
}: FaultWorld): Record<'tab-crash' | 'device-crash' | 'power-loss', Strike> {
  const { chance } = cluster
  return {
    'tab-crash'() {
      const open = pickTab()
      if (open === null) return false
      say(`a tab of ${open.device.name} dies`)
      open.tab.scope.kill()
      return true
    },
    'device-crash'() {
      const device = chance.pick(cluster.devices)
      say(`${device.name} is killed`)
      device.crash()
      return true
    },
    'power-loss'() {
      const device = chance.pick(cluster.devices)
      say(`${device.name} loses power`)
      device.losePower()
      return true
    },
  }
}
