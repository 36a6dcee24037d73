/**
 * P5 between relays: at a cut of a peer that holds all that this relay holds, fingerprints are equal, or it proves
 * nothing. A difference that is still there at the next such cut is an alarm: the peer's whole feed is pulled again,
 * once, and what it brings is joined. Both sides do so, so each has what the other one had.
 */
import {
  isSameFingerprint,
  type Fingerprint,
  type GenerationId,
  type PeerPull,
  type RelaySpace,
} from '@rejoin/core'
import type { Log } from '../kernel-port.ts'
import { send, type Attached } from './attached.ts'

export interface Comparing {
  /** A peer's cut was taken in: it is compared once the turn is on disk. */
  note(attached: Attached, pull: PeerPull, expected: Fingerprint): void
  /** The turn is on disk, or nothing of it is. */
  settle(onDisk: boolean): void
}

const alarmAfter = 2

export function createComparing(space: RelaySpace, generation: GenerationId, log: Log): Comparing {
  let noted: { attached: Attached; pull: PeerPull; expected: Fingerprint }[] = []
  const differences = new WeakMap<Attached, number>()

  function compare(attached: Attached, pull: PeerPull, expected: Fingerprint): void {
    if (pull.held(space.generations, generation, space.position) < space.position) return
    if (isSameFingerprint(expected, space.fingerprint)) return void differences.delete(attached)
    const count = (differences.get(attached) ?? 0) + 1
    differences.set(attached, count)
    if (count !== alarmAfter) return
    const peer = attached.session.replica
    log.error({ space: space.name, peer }, 'fingerprints differ at a cut; the whole feed is pulled again')
    pull.restart()
    send(attached, { type: 'range', ranges: [] })
  }

  return {
    note: (attached, pull, expected) => void noted.push({ attached, pull, expected }),
    settle(onDisk) {
      const cuts = noted
      noted = []
      if (!onDisk) return
      for (const { attached, pull, expected } of cuts) compare(attached, pull, expected)
    },
  }
}
