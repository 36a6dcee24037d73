/**
 * P5 between relays: at a cut of a peer that holds all that this relay holds, fingerprints are equal, or it proves
 * nothing. A difference that is still there at the next such cut is an alarm: the peer's whole feed is pulled again,
 * once, and what it brings is joined. Both sides do so, so each has what the other one had.
 */
import { isSameFingerprint, type Fingerprint, type PeerPull } from '@rejoin/core'
import { send, type Attached } from './attached.ts'
import type { DrivenSpace } from './driven-space.ts'

/** A peer's cut that was taken in. */
export interface NotedCut {
  readonly attached: Attached
  readonly pull: PeerPull
  readonly expected: Fingerprint
  /** How much of this feed the peer held then: by later cuts, which the turn may take in too, it holds more. */
  readonly held: number
}

const alarmAfter = 2

/** Compares what was noted in a turn that is on disk. */
export function compareNoted(driven: DrivenSpace): void {
  if (driven.noted.length === 0) return
  const cuts = driven.noted
  driven.noted = []
  for (const cut of cuts) compare(driven, cut)
}

function compare({ name, kernel, space }: DrivenSpace, { attached, pull, expected, held }: NotedCut): void {
  if (held < space.position) return
  if (isSameFingerprint(expected, space.record.fingerprint)) {
    attached.differences = 0
    return
  }
  attached.differences += 1
  if (attached.differences !== alarmAfter) return
  const peer = attached.session.replica
  kernel.options.log.error(
    { space: name, peer },
    'fingerprints differ at a cut; the whole feed is pulled again',
  )
  pull.restart()
  send(attached, { type: 'range', ranges: [] })
}
