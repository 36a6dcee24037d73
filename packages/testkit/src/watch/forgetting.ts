/** Forgetting: what may be seen of documents whose tombstones a device has forgotten. */
import type { Cluster } from '../cluster.ts'

/** D2: who has forgotten a tombstone takes what it had been from a relay that was put back, until that has it again. */
export function mayBeOlder({ paths, relays }: Cluster, at: number): boolean {
  return paths.forgotten > 0 && relays.some(({ restoredAt }) => restoredAt > at)
}
