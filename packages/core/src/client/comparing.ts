/**
 * P5: at a cut whose relay covers this replica's reach, fingerprints are equal. One difference is looked at again at
 * the next cut; one that stays is joined, and is an alarm if the join does not explain it, unless the relay was given what
 * it lacked, in this session or, as it does not cover this replica's frontier, in an earlier one: deletions of what this
 * replica was spared or has forgotten it was not given, nor is it asked for those that it has.
 *
 * A relay that refused some of that cannot be equal: it is not compared, since each difference would be joined anew.
 *
 * What is to be equal is noted at the cut and compared after everybody was told of it, some rows at a time.
 */
import { isSameFingerprint, type Fingerprint } from '../fingerprint.ts'
import { coversPositions } from '../generations.ts'
import type { FingerprintCount } from '../replica/fingerprint-count.ts'
import { ask, type Conversation } from './conversation.ts'
import type { Pull } from './pull.ts'
import type { Reconciling } from './reconciling.ts'

export interface Comparing {
  /** What a cut's fingerprint must be, of the state that has just taken it in; null if nothing must. */
  note(expected: Fingerprint | null): void
  /** Compares what was noted, unless something is on its way to the disk. */
  compare(): void
}

interface Noted {
  readonly expected: Fingerprint
  /** Whether the relay has heard of all that this replica has, and was given nothing. */
  readonly isProof: boolean
  readonly held: FingerprintCount
}

const alarmAfter = 2

export function createComparing(
  conversation: Conversation,
  pull: Pull,
  reconciling: Reconciling,
  askCut: () => void,
): Comparing {
  const { state } = conversation
  let noted: Noted[] = []
  let differences = 0

  function differ(isProof: boolean): void {
    differences += 1
    if (differences < alarmAfter) return askCut()
    differences = 0
    reconciling.begin('join', isProof)
  }

  function compare(): void {
    if (conversation.busy || conversation.phase !== 'open') return
    for (let next = noted[0]; next !== undefined && conversation.phase === 'open'; next = noted[0]) {
      const held = next.held.step()
      if (held === null) return ask(conversation, { kind: 'rest' })
      noted = noted.slice(1)
      if (isSameFingerprint(next.expected, held)) differences = 0
      else differ(next.isProof)
    }
    if (conversation.phase !== 'open') noted = []
  }

  return {
    note(expected) {
      if (expected === null || reconciling.isRefused()) return
      const isProof =
        !reconciling.hasGiven() && coversPositions(state.generations, pull.frontier, state.frontier)
      noted.push({ expected, isProof, held: state.fingerprintLater() })
      ask(conversation, { kind: 'rest' })
    },
    compare,
  }
}
