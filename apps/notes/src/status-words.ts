/**
 * What the replica's status means, in words. The rule of this file: nothing is called saved, sent or up to date
 * before it is. Three places are told apart: this screen, this device's disk, a relay's disk.
 */
import type { Status } from '@rejoin/client'

/** How far one's own changes are. `wait` asks for nothing, `alert` for a look. */
export type Mood = 'busy' | 'wait' | 'good' | 'alert'

export interface StatusWords {
  readonly mood: Mood
  readonly headline: string
  readonly detail: string
}

/** `unsaved` counts changes of this tab that this device's disk has not confirmed yet. */
export function describeStatus(status: Status, unsaved: number, now: number): StatusWords {
  if (unsaved > 0) return { mood: 'busy', headline: 'Saving…', detail: 'Not yet on this device’s disk' }
  const connection = describeConnection(status)
  if (status.pending > 0) {
    const where = status.persistence === 'memory' ? 'in this tab' : 'on this device'
    const headline = `${countChanges(status.pending)} ${where}, not yet on a relay`
    const waiting = describeWait(status.oldestPendingAt, now)
    return { mood: 'wait', headline, detail: waiting === '' ? connection : `${connection} · ${waiting}` }
  }
  if (status.connection === 'online') {
    return { mood: 'good', headline: 'All changes are on the relay', detail: connection }
  }
  return { mood: 'wait', headline: 'No changes wait for the relay', detail: connection }
}

function describeConnection(status: Status): string {
  switch (status.connection) {
    case 'online':
      return 'Connected'
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

/** Short enough for a pill: "1 change", "12 changes". */
export function countChanges(count: number): string {
  return count === 1 ? '1 change' : `${count} changes`
}

/** How long the oldest change waits; silent about the first minute, which nobody needs to watch. */
function describeWait(since: number | null | undefined, now: number): string {
  if (since === null || since === undefined) return ''
  const minutes = Math.floor((now - since) / 60_000)
  if (minutes < 1) return ''
  if (minutes < 60) return `waiting for ${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `waiting for ${hours} h`
  return `waiting for ${Math.floor(hours / 24)} days`
}
