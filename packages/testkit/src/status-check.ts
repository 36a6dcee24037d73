/** What is shown while it runs: each tab's status, and what its application was told, held against that application's own log. */
import type { ErrorCode } from '@rejoin/core'
import type { Application } from './application/application.ts'
import { isToBlame } from './application/effects.ts'
import type { Cluster, OpenTab } from './cluster.ts'
import type { Logged } from './log.ts'

/** S3: how a relay refuses what stands on what it lacks. */
const standsOnNothing: ReadonlySet<ErrorCode> = new Set(['unknown-mark', 'document-unknown', 'text-gap'])

/** V15: `synced` is never shown while a write of that tab is not on as many relays as it is to be. */
export function checkStatus(cluster: Cluster, application: Application): string[] {
  const found: string[] = []
  const saySynced = new Set<OpenTab>()
  for (const open of application.tabs) {
    const { replica, device } = open
    const { synced, pending } = replica.status.get()
    if (!synced) continue
    saySynced.add(open)
    if (pending > 0) found.push(`${device.name} says synced with ${pending} pending`)
  }
  const { level } = cluster.copies
  for (const entry of application.log) {
    const { relay, refused, local, token, tab } = entry
    const isThere = level === 'quorum' ? entry.quorum : relay
    // Nothing is wrong with what is acknowledged and was never refused, nor with what nobody was told of yet.
    if (refused === null && (isThere || !local)) continue
    if (
      refused !== null &&
      !(refused === 'built-on-refused' && mayBuildOnRefused(cluster, application, entry)) &&
      !isToBlame(entry) &&
      !(standsOnNothing.has(refused) && mayStandOnNothing(cluster, application, entry))
    )
      found.push(`[L3] ${token} was refused, and is not to blame: ${refused}`)
    if (relay && refused !== null) found.push(`[Q1] ${token} was acknowledged and refused (${refused})`)
    if (
      saySynced.has(tab) &&
      token.startsWith('w') &&
      local &&
      !isThere &&
      refused === null &&
      !entry.discarded &&
      !entry.asksAgain
    )
      found.push(`[V15] ${tab.device.name} says synced before ${token} is at ${level}`)
  }
  return found
}

/** W6 (5): some write of one of its documents is refused, be that known or not. */
function mayBuildOnRefused(cluster: Cluster, { log }: Application, entry: Logged): boolean {
  const keys = new Set([entry, ...entry.together].map(({ key }) => key))
  return log.some(
    one =>
      keys.has(one.key) &&
      !entry.together.includes(one) &&
      (one.refused !== null || isToBlame(one) || cluster.remakes.wasRefused(one.token)),
  )
}

/** A transaction is refused whole for what one of its documents stands on. */
function mayStandOnNothing(cluster: Cluster, { space }: Application, entry: Logged): boolean {
  return [entry, ...entry.together].some(({ key }) => cluster.mayNotComeBack(space, key))
}
