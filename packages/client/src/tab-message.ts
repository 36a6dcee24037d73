/** What the tabs of a replica tell each other beside the journal. Other tabs may run other versions of the application. */
import type { ErrorCode, Level, Positions } from '@rejoin/core'
import { isPausing, type Pausing } from './pausing.ts'
import { areSameRelays, type Connection, type RelayStatus } from './status.ts'

/** What only the tab with the connection knows; said at every change, and every 2 s as a sign of life. */
export interface HolderNews {
  readonly kind: 'holder'
  readonly connection: Connection
  readonly reason: ErrorCode | undefined
  readonly caughtUp: boolean
  readonly relays: readonly RelayStatus[]
  /** The journal position up to which it had applied everything when it said so. */
  readonly seen: number
  /** How many own transactions it knew then that no relay has acknowledged. */
  readonly pending: number
  readonly clockOffsetMs: number
  /** What relays give, once one said so. */
  readonly levels: readonly Level[] | undefined
  /** What relays told to be at quorum. */
  readonly quorum: Positions
  /** Who the token stands for; undefined until a relay said so. */
  readonly user: string | undefined
  /** Whose replica this is (see owner.ts). */
  readonly owner: string | undefined
  readonly pausing: Pausing
}

export type TabMessage =
  | HolderNews
  /** Who holds the connection is to say so. */
  | { readonly kind: 'ask' }
  /** The holder lets go. */
  | { readonly kind: 'bye' }
  | { readonly kind: 'pausing'; readonly pausing: Pausing }
  /** Who holds the connection is to ask the relay for a cut that it makes from now on, and to say when it is on disk. */
  | { readonly kind: 'ask-cut'; readonly name: string }
  | { readonly kind: 'cut'; readonly name: string; readonly position: number }
  | { readonly kind: 'event'; readonly name: string; readonly detail: unknown }

const comparedAsTheyAre = {
  kind: true,
  connection: true,
  reason: true,
  caughtUp: true,
  clockOffsetMs: true,
  quorum: true,
  user: true,
  owner: true,
  pausing: true,
} satisfies Record<Exclude<keyof HolderNews, 'levels' | 'pending' | 'relays' | 'seen'>, true>
const names = Object.keys(comparedAsTheyAre) as (keyof typeof comparedAsTheyAre)[]

/**
 * Whether what they say of the connection differs, or only how many writes wait for which relay, or nothing. What lists
 * hold is compared, since a list may be made anew. Asked at every event.
 */
export function differenceOfNews(a: HolderNews, b: HolderNews): 'state' | 'counts' | 'none' {
  for (let i = 0; i < names.length; i++) {
    const name = names[i]
    if (name !== undefined && a[name] !== b[name]) return 'state'
  }
  const isSame =
    // What others do with it is to ask whether there is one.
    (a.pending === 0) === (b.pending === 0) &&
    (a.seen === b.seen || !isLevelNews(b)) &&
    (a.levels === b.levels || a.levels?.join() === b.levels?.join())
  if (!isSame) return 'state'
  if (areSameRelays(a.relays, b.relays)) return 'none'
  return areSameRelays(a.relays.map(withoutCount), b.relays.map(withoutCount)) ? 'counts' : 'state'
}

function withoutCount(relay: RelayStatus): RelayStatus {
  return { ...relay, waiting: 0 }
}

/** Whether others that have seen as much are level with the relay too; else it is nothing to them what the holder has seen. */
export function isLevelNews({ caughtUp, pending }: HolderNews): boolean {
  return caughtUp && pending === 0
}

const kinds: ReadonlySet<string> = new Set<TabMessage['kind']>([
  'holder',
  'ask',
  'bye',
  'pausing',
  'ask-cut',
  'cut',
  'event',
])
const connections: ReadonlySet<string> = new Set<Connection>([
  'offline',
  'connecting',
  'catching-up',
  'online',
  'paused',
])

/** The message, or null for what is none that this version knows. */
export function parseTabMessage(message: unknown): TabMessage | null {
  if (typeof message !== 'object' || message === null || !('kind' in message)) return null
  if (typeof message.kind !== 'string' || !kinds.has(message.kind)) return null
  const found = message as TabMessage
  if ('pausing' in found && !isPausing(found.pausing)) return null
  if (found.kind === 'holder') {
    const isWhole =
      connections.has(found.connection) &&
      Number.isFinite(found.seen) &&
      Number.isFinite(found.clockOffsetMs) &&
      (found.levels === undefined || Array.isArray(found.levels)) &&
      Array.isArray(found.relays) &&
      ['string', 'undefined'].includes(typeof found.owner) &&
      found.quorum instanceof Map
    return isWhole ? found : null
  }
  if ('name' in found && typeof found.name !== 'string') return null
  if (found.kind === 'cut' && !Number.isFinite(found.position)) return null
  return found
}
