/**
 * P5: at a cut whose relay covers this replica's reach, fingerprints are equal. One difference is looked at again at
 * the next cut; one that stays is an alarm, and is joined. A session that began with a give proves nothing.
 */
import { isSameFingerprint, type Fingerprint } from '../fingerprint.ts'
import { coversPositions } from '../generations.ts'
import type { Conversation } from './conversation.ts'
import type { Pull } from './pull.ts'
import type { Reconciling } from './reconciling.ts'

const alarmAfter = 2

/** Compares a cut's fingerprint with that of the state, which has just taken it in. */
export function createComparing(
  { state, send, ask }: Conversation,
  pull: Pull,
  reconciling: Reconciling,
  now: () => number,
): (expected: Fingerprint | null) => void {
  let differences = 0
  return expected => {
    if (expected === null || reconciling.hasGiven) return
    if (!coversPositions(state.generations, pull.frontier, state.reach)) return
    if (isSameFingerprint(expected, state.fingerprint)) {
      differences = 0
      return
    }
    differences += 1
    // A heartbeat asks for the next cut.
    if (differences < alarmAfter)
      return send({ type: 'heartbeat', position: pull.cursor?.cut ?? 0, time: now() })
    differences = 0
    ask({ kind: 'alarm' })
    reconciling.begin('join')
  }
}
