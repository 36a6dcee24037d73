/**
 * Leaderless replication, N/R/W: a replica that speaks with N relays at once, be they peers of each other or not. A write is
 * at `quorum` when W of them have acknowledged it; what is here is fresh when R of them were pulled to their cuts.
 */
import { RejoinError, type Copies } from '@rejoin/core'

export interface Quorum {
  /** W. */
  readonly write: number
  /** R. */
  readonly read: number
}

export interface QuorumOptions {
  readonly relays: readonly string[]
  readonly mode?: 'failover' | 'quorum' | undefined
  readonly write?: number | undefined
  readonly read?: number | undefined
  readonly unsafe?: boolean | undefined
}

/** Null for failover. Throws `quorum-invalid` for numbers that cannot be had, or of which a read may miss a write. */
export function quorumOf({ relays, mode, write, read, unsafe }: QuorumOptions): Quorum | null {
  if (mode !== 'quorum') {
    if (mode !== undefined && mode !== 'failover')
      throw new TypeError(`mode is 'failover' or 'quorum', not ${String(mode)}`)
    if (write !== undefined || read !== undefined || unsafe !== undefined)
      throw new TypeError("write, read and unsafe go with mode: 'quorum'")
    return null
  }
  const majority = Math.floor(relays.length / 2) + 1
  const quorum: Quorum = { write: write ?? majority, read: read ?? majority }
  const refuse = (reason: string): never => {
    const details = { relays: relays.length, ...quorum, reason }
    throw new RejoinError('quorum-invalid', details, reason)
  }
  if (new Set(relays).size < relays.length) refuse('a relay is named twice, and can acknowledge only once')
  for (const count of [quorum.write, quorum.read])
    if (!Number.isInteger(count) || count < 1 || count > relays.length)
      refuse(`write and read are whole numbers from 1 to the number of relays, which is ${relays.length}`)
  if (quorum.write + quorum.read <= relays.length && unsafe !== true)
    refuse(
      'write + read is not greater than the number of relays, so a read may miss a write: say `unsafe: true`',
    )
  return quorum
}

/** What the outbox waits for: W before a write is where it was wanted, all of them before it lets go (SPEC L2). */
export function copiesOf({ relays }: QuorumOptions, quorum: Quorum | null): Copies | undefined {
  return quorum === null ? undefined : { wanted: quorum.write, level: 'quorum', all: relays.length, relays }
}
