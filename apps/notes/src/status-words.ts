/**
 * What the replica's status means, in words. The rule of this file: nothing is called saved, sent or up to date
 * before it is. Three places are told apart: this screen, this device's disk, a relay's disk.
 */
import type { Status } from '@rejoin/client'

/** How far one's own changes are, the worst first: not on this disk, not on a relay, all there. */
export type Mood = 'busy' | 'wait' | 'good'

export interface StatusWords {
  readonly mood: Mood
  readonly headline: string
  readonly connection: string
  /** How long the oldest change has waited, or nothing. */
  readonly waiting: string
}

/** `now`: by the relays' time, as the status is. */
export function describeStatus(status: Status, now: number): StatusWords {
  const connection = describeConnection(status, now)
  const waiting = describeWait(status.oldestPendingAt, now)
  const isKept = status.persistence === 'indexeddb' && status.storage === undefined
  if (isKept && status.unsaved > 0) {
    return { mood: 'busy', headline: 'Saving on this device…', connection, waiting }
  }
  if (status.pending > 0) {
    const where = isKept ? 'on this device' : 'in this tab'
    const headline = `${countChanges(status.pending)} ${where}, not yet on a relay`
    return { mood: 'wait', headline, connection, waiting }
  }
  if (status.quarantined > 0) {
    const rest =
      status.connection === 'online' ? 'all others are on the relay' : 'no others wait for the relay'
    return { mood: 'wait', headline: `${countRefused(status.quarantined)}, ${rest}`, connection, waiting }
  }
  if (status.connection === 'online') {
    return { mood: 'good', headline: 'All changes are on the relay', connection, waiting }
  }
  return { mood: 'wait', headline: 'No changes wait for the relay', connection, waiting }
}

/** Short enough for a pill: "1 change", "12 changes". */
export function countChanges(count: number): string {
  return count === 1 ? '1 change' : `${count} changes`
}

/** "1 change was refused", "3 changes were refused". */
export function countRefused(count: number): string {
  return `${countChanges(count)} ${count === 1 ? 'was' : 'were'} refused`
}

/**
 * A network that has gone silent shows itself by nothing at all, and is found out only after a while. What is known
 * before is that an answer is missing.
 */
const answerMs = 8000

function describeConnection({ connection, oldestPendingAt }: Status, now: number): string {
  switch (connection) {
    case 'online':
      return oldestPendingAt !== null && now - oldestPendingAt >= answerMs
        ? 'No answer from the relay yet'
        : 'Connected'
    case 'catching-up':
      return 'Catching up with the others…'
    case 'connecting':
      return 'Looking for the relay…'
    case 'paused':
      return 'Working offline'
    case 'offline':
      return 'No connection'
  }
}

/** Silent about the first minute, which nobody needs to watch. */
function describeWait(since: number | null, now: number): string {
  if (since === null) return ''
  const minutes = Math.floor((now - since) / 60_000)
  if (minutes < 1) return ''
  if (minutes < 60) return `waiting for ${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `waiting for ${hours} h`
  return `waiting for ${Math.floor(hours / 24)} days`
}
