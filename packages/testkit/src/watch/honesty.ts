/** Honesty: what the status of a tab says is so, at every step. */
import type { Status } from '@rejoin/client'
import type { OpenTab } from '../cluster.ts'
import type { Logged } from '../log.ts'

export function checkHonesty(open: OpenTab, status: Status, log: readonly Logged[]): string[] {
  const { replica, device } = open
  // Who cannot store says so, and nothing else is promised then.
  if (status.storage !== undefined) return []
  const found: string[] = []
  const waiting = new Set<Logged['together']>()
  for (const { tab, kind, relay, refused, untold, asksAgain, together } of log)
    if (tab === open && kind !== 'text' && !relay && refused === null && !untold && !asksAgain)
      waiting.add(together)
  const conflicts = replica.conflicts.get().filter(({ settledBy }) => settledBy === 'person').length
  const say = (what: string): void => void found.push(`[V15] ${device.name} says ${what}`)
  if (status.pending < waiting.size) say(`${status.pending} pending, and ${waiting.size} writes wait`)
  if (status.unsaved > status.pending) say(`${status.unsaved} unsaved of ${status.pending} pending`)
  if ((status.oldestPendingAt === null) !== (status.pending === 0))
    say(`${status.pending} pending, the oldest of ${status.oldestPendingAt}`)
  if (status.quarantined !== replica.quarantine.get().length) say(`${status.quarantined} quarantined`)
  if (status.conflicts !== conflicts) say(`${status.conflicts} conflicts, and lists ${conflicts}`)
  if (status.synced && (status.connection !== 'online' || status.pending > 0))
    say(`synced, and is ${status.connection} with ${status.pending} pending`)
  return found
}
