/**
 * Whether structs of several clients can be placed one after another. Each waits for the one before it of its own
 * client, and for what it refers to; two that wait for each other would be parked by Yjs for ever. (Kahn, 1962;
 * only references that cross from one client of the update to another are looked at, so it is O(r log r) in those.)
 */

/** The struct at (client, clock) refers to (onClient, onClock), which is not known before the update. */
export interface Reference {
  readonly client: number
  readonly clock: number
  readonly onClient: number
  readonly onClock: number
}

interface Wait extends Reference {
  isMet: boolean
  isReached: boolean
}

export function findCircle(references: readonly Reference[]): boolean {
  const waits: Wait[] = references.map(reference => ({ ...reference, isMet: false, isReached: false }))
  const byClient = groupWaits(
    waits,
    wait => wait.client,
    wait => wait.clock,
  )
  const byTarget = groupWaits(
    waits,
    wait => wait.onClient,
    wait => wait.onClock,
  )
  const next = new Map<number, number>()
  const met = new Map<number, number>()
  const ready = [...new Set([...byClient.keys(), ...byTarget.keys()])]
  for (let client = ready.pop(); client !== undefined; client = ready.pop()) {
    const own = byClient.get(client) ?? []
    let at = next.get(client) ?? 0
    while (own[at]?.isMet === true) at++
    next.set(client, at)
    const blocking = own[at]
    if (blocking !== undefined) blocking.isReached = true
    // Everything of this client before the struct that waits is placed: who waited for that goes on.
    const placed = blocking?.clock ?? Infinity
    const waiting = byTarget.get(client) ?? []
    let last = met.get(client) ?? 0
    for (let wait = waiting[last]; wait !== undefined && wait.onClock < placed; wait = waiting[++last]) {
      wait.isMet = true
      if (wait.isReached) ready.push(wait.client)
    }
    met.set(client, last)
  }
  return waits.some(wait => !wait.isMet)
}

function groupWaits(
  waits: readonly Wait[],
  keyOf: (wait: Wait) => number,
  orderOf: (wait: Wait) => number,
): ReadonlyMap<number, readonly Wait[]> {
  const groups = new Map<number, Wait[]>()
  for (const wait of waits) {
    const group = groups.get(keyOf(wait))
    if (group === undefined) groups.set(keyOf(wait), [wait])
    else group.push(wait)
  }
  for (const group of groups.values()) group.sort((a, b) => orderOf(a) - orderOf(b))
  return groups
}
