/** What can be told of a write from what it did. */
import type { Effect } from '../log.ts'

/** How a colour begins that relays refuse where the rule is on. */
export const forbidden = 'forbidden'

export function isForbidden(color: unknown): boolean {
  return typeof color === 'string' && color.startsWith(forbidden)
}

export function isDeletion(effect: Effect): boolean {
  return effect.field === 'document' && effect.how === 'delete'
}

export function tokensIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(one => typeof one === 'string') : []
}
