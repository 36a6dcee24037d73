/** What is on a device's disk at every step, held against the application's own log and not against what replicas believe. */
import type { Application } from './application/application.ts'
import { databaseOf, type Cluster } from './cluster.ts'
import { readDevice, type DeviceState } from './device-state.ts'
import type { SimulatedDevice } from './device.ts'
import { hasToken, holdingOf, readRelay } from './holders.ts'
import type { Logged } from './log.ts'
import { mayBeOlder } from './watch/forgetting.ts'

/** V1, V3: what was reported local is on the device's disk: confirmed, in the outbox, or in the quarantine. */
export async function checkConservation(cluster: Cluster, application: Application): Promise<string[]> {
  const found: string[] = []
  const relays = await Promise.all(cluster.relays.map(({ store }) => readRelay(store, application.space)))
  const isOnRelay = ({ key, token }: Logged): boolean => relays.some(rows => hasToken(rows.get(key), token))
  const devices: {
    device: SimulatedDevice
    state: DeviceState['state']
    holds: ReturnType<typeof holdingOf>
  }[] = []
  for (const device of cluster.devices) {
    const held = await readDevice(device.disk, databaseOf(application.space), cluster.copies)
    if (held !== null) devices.push({ device, state: held.state, holds: holdingOf(held) })
  }
  const isOnDevice = ({ key, token }: Logged): boolean => devices.some(({ holds }) => holds(key, token))
  for (const { device, state, holds } of devices) {
    const isForgotten = ({ key, at }: Logged): boolean =>
      cluster.paths.forgotten > 0 &&
      state.size > 0 &&
      (state.confirmed(key) === undefined || state.wants.includes(key) || mayBeOlder(cluster, at))
    for (const entry of application.log) {
      if (entry.device !== device || !entry.local || entry.kind !== 'log') continue
      if (entry.token === '' || entry.discarded || holds(entry.key, entry.token)) continue
      // D2: for a tombstone that is forgotten the relays answer, also while it is asked for again after an insert over it,
      // and where an older image of theirs has brought back what was before; or who still has it, if a disaster took it from them; or nobody, if nobody else had it.
      if (isForgotten(entry) && (entry.gone || isOnRelay(entry) || isOnDevice(entry))) continue
      found.push(`${device.name} lost ${entry.token} of ${entry.key}, which was local`)
    }
  }
  return found
}
