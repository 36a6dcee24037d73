/** Tabs, browsers and whole devices that are gone at once, in the middle of whatever they did. */
import { strikeDisks } from '../holders.ts'
import type { FaultWorld, Strike } from './fault.ts'

export function crashes({
  cluster,
  people,
  pickTab,
  say,
}: FaultWorld): Record<'tab-crash' | 'device-crash' | 'power-loss' | 'storage-crash', Strike> {
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
    async 'power-loss'() {
      const device = chance.pick(cluster.devices)
      say(`${device.name} loses power`)
      // What relays had sent is stored relaxed: this device may have been the last that had it. Its own writes are not,
      // unless it had forgotten them and relays sent them again (D2).
      await strikeDisks(
        cluster,
        people.applications,
        device.losePower,
        entry => entry.device !== device || !entry.local || cluster.paths.forgotten > 0,
      )
      return true
    },
    // It counts when the tab dies.
    'storage-crash'() {
      const device = chance.pick(cluster.devices)
      const { trap } = device
      trap.steps = 1 + chance.below(10)
      trap.when = chance.pick(['before', 'after'])
      say(`a tab of ${device.name} will die ${trap.when} its transaction ${trap.steps} from now`)
      return false
    },
  }
}
