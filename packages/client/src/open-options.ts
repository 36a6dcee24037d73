/**
 * What `openReplica` is given, before anything is opened: what can never work would otherwise show only as a replica that
 * stays offline for ever, and leave behind what was opened by then.
 */
import { limits, RejoinError, type Level } from '@rejoin/core'
import { checkCollections, type Collections } from './collection.ts'
import { originName } from './journal/holdings.ts'
import type { ClientPorts } from './ports.ts'
import { reservedNameIn, type ReservedName } from './replica.ts'
import type { Token } from './token-source.ts'
import { addressOf } from './websocket-runtime.ts'

export interface OpenOptions<C extends Collections> {
  /** The unit of sharing: all replicas of a space come to the same. */
  readonly space: string
  /** Keeps the databases of several people on one device apart. */
  readonly account?: string | undefined
  readonly collections: C & { readonly [K in ReservedName | 'then']?: never }
  /** URLs of relays. None: a replica of its own. */
  readonly relays: readonly string[]
  /**
   * `failover`, unless stated: one relay at a time is used, the next one when it fails. `quorum`: all of them at once,
   * be they peers of each other or not.
   */
  readonly mode?: 'failover' | 'quorum' | undefined
  /** Of mode `quorum`: how many relays must have a write on their disks before it is at `quorum`. Most of them, unless stated. */
  readonly write?: number | undefined
  /** Of mode `quorum`: from how many relays everything must be here before the replica is `synced`. Likewise. */
  readonly read?: number | undefined
  /** Of mode `quorum`: must be said where `write` + `read` is not greater than the number of relays. */
  readonly unsafe?: boolean | undefined
  /** Says to a relay who this is. Asked when needed, and again when a relay does not take what it gave. */
  readonly token?: Token | undefined
  /** What people call this device. */
  readonly device?: string | undefined
  /** The level that a write must reach before the outbox lets go of it; in mode `quorum` that is `quorum`. */
  readonly level?: Level | undefined
  /** Names the database, in the place of account and space. It belongs to the space for which it was opened first. */
  readonly name?: string | undefined
  /** What is not to be the platform's own. */
  readonly ports?: Partial<ClientPorts> | undefined
}

/** Throws a TypeError, or `key-forbidden` for the name of a collection. */
export function checkOptions(options: OpenOptions<Collections>): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError('openReplica takes an object of options, such as { space, collections, relays }')
  const { collections, space, account, device, name, token, level, relays } = options
  checkCollections(collections)
  checkReserved(collections)
  if (typeof space !== 'string' || space === '')
    throw new TypeError(`space is the name of what is shared, not ${String(space)}`)
  for (const [option, text] of Object.entries({ space, account, device, name })) checkText(option, text)
  if (name === '' || name === originName) throw new TypeError(`name is that of a database, and not '${name}'`)
  if (token !== undefined && typeof token !== 'function')
    throw new TypeError('token is a function that gives the token, so that it can be asked for a new one')
  if (level !== undefined && !['local', 'relay', 'quorum'].includes(level))
    throw new TypeError(`level is 'local', 'relay' or 'quorum', not ${String(level)}`)
  checkRelays(relays, options.ports)
}

/** Names travel, and make that of a database. */
function checkText(option: string, text: unknown): void {
  if (text === undefined) return
  if (typeof text !== 'string' || /\p{Surrogate}/u.test(text)) throw new TypeError(`${option} is a text`)
  if (new TextEncoder().encode(text).length > limits.nameBytesMax)
    throw new TypeError(`${option} has at most ${limits.nameBytesMax} bytes`)
}

function checkRelays(relays: unknown, ports: OpenOptions<Collections>['ports']): void {
  if (!Array.isArray(relays)) throw new TypeError('relays is a list of URLs; an empty one if there is none')
  if (ports?.connect !== undefined || relays.length === 0) return
  for (const url of relays) addressOf(url)
  if (typeof WebSocket !== 'undefined') return
  throw new TypeError(
    'no relay can be reached without WebSocket, which Node has from 22 on; or give `ports.connect`',
  )
}

/** Where these lead to: what is written in two ways may be one relay. */
export function addressesOf({ relays, ports }: OpenOptions<Collections>): readonly string[] {
  return ports?.connect === undefined ? relays.map(addressOf) : relays
}

function checkReserved(collections: Collections): void {
  const key = reservedNameIn(collections)
  if (key === undefined) return
  throw new RejoinError(
    'key-forbidden',
    { key },
    `a replica has a member '${key}' of its own; give the collection another property in \`collections\``,
  )
}
