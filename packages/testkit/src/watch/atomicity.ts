/** Atomicity: what one transaction wrote is on a disk whole or not at all (SPEC W2). */
import type { Application } from '../application/application.ts'
import { databaseOf, type Cluster } from '../cluster.ts'
import { readDevice } from '../device-state.ts'
import { hasToken, holdingOf, readRelay } from '../holders.ts'
import type { Logged } from '../log.ts'

/** At any time of the only relay, which commits whole what it takes; at rest of all relays and devices. */
export async function checkAtomicity(
  cluster: Cluster,
  application: Application,
  isAtRest: boolean,
): Promise<string[]> {
  const { log, space } = application
  const found: string[] = []
  const transactions = new Set(log.map(({ together }) => together).filter(({ length }) => length > 1))
  const check = (
    where: string,
    holds: (entry: Logged) => boolean,
    isTold = (_: Logged): boolean => true,
  ): void => {
    for (const entries of transactions) {
      if (!isAtRest && entries.some(({ at }) => mayBeGivenBack(cluster, at))) continue
      const known = entries
        .filter(({ token, key }) => token !== '' && !cluster.mayNotComeBack(space, key))
        .filter(isTold)
      const here = known.filter(holds)
      if (here.length > 0 && here.length < known.length)
        found.push(
          `[V7] ${where} has ${here.map(({ token }) => token)} of ${known.map(({ token }) => token)}`,
        )
    }
  }
  if (!isAtRest && cluster.relays.length > 1) return found
  for (const relay of cluster.relays) {
    const rows = await readRelay(relay.store, space)
    check(relay.url, ({ key, token }) => hasToken(rows.get(key), token))
  }
  for (const device of isAtRest ? cluster.devices : []) {
    const held = await readDevice(device.disk, databaseOf(space), cluster.copies)
    if (held === null) continue
    const holds = holdingOf(held)
    // D2: what is forgotten of a transaction the relays answer for.
    const isThere = ({ key }: Logged): boolean => held.state.visible(key) !== undefined
    check(device.name, ({ key, token }) => holds(key, token), isThere)
  }
  return found
}

/** S3: what a relay lost comes back document by document, from whoever holds some of it. */
function mayBeGivenBack({ relays }: Cluster, at: number): boolean {
  return relays.some(({ restoredAt }) => at < restoredAt)
}
