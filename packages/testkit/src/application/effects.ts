/** What can be told of a write from what it did. */
import type { DocumentKey } from '@rejoin/core'
import type { Cluster } from '../cluster.ts'
import type { AskField, Effect, Logged } from '../log.ts'

/** How a colour begins that relays refuse where the rule is on. */
export const forbidden = 'forbidden'

export function isForbidden(color: unknown): boolean {
  return typeof color === 'string' && color.startsWith(forbidden)
}

export function isDeletion(effect: Effect): boolean {
  return effect.field === 'document' && effect.how === 'delete'
}

export function isInsertion(effect: Effect): boolean {
  return effect.field === 'document' && effect.how === 'insert'
}

export function isAsked(effect: Effect): effect is Extract<Effect, { readonly field: AskField }> {
  return effect.field === 'title' || effect.field === 'place' || effect.field === 'mood'
}

/** Whether relays may refuse it for itself, and not for what it was built on. */
export function isToBlame({ effects }: Pick<Logged, 'effects'>): boolean {
  return effects.some(effect => effect.field === 'color' && isForbidden(effect.value))
}

/**
 * S3: what a relay lost comes back document by document, from whoever holds it and when that one comes; C4: it does not
 * take it before its time, and what stands on that waits, while other documents go on. So it may come after what its author
 * did later.
 */
export function mayComeLater({ relays }: Cluster, log: readonly Logged[], key: DocumentKey): boolean {
  return relays.some(({ restoredAt }) => log.some(entry => entry.key === key && entry.at < restoredAt))
}

export function tokensIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(one => typeof one === 'string') : []
}
