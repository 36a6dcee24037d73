/**
 * What a session asks of the shell that drives it, and what it wants to know of it. The session is a machine: it
 * stores, loads and sends nothing by itself.
 */
import type { Chunk } from '../chunk.ts'
import type { Failure } from '../errors.ts'
import type { Frame, Level, QuorumFrame, RequestFrame } from '../frames.ts'
import type { StoreId } from '../generations.ts'
import type { RemakePlan } from '../remake/plan.ts'
import type { DocumentKey, PartName, Row } from '../row.ts'
import type { TextUpdates } from '../write.ts'
import type { Telling } from './told-elsewhere.ts'

export interface SessionOptions {
  readonly space: string
  readonly token: string
  readonly replica: StoreId
  readonly device: string
  readonly level: Level
  /** By which the relay is reached; needed where `copies` of the state names relays. */
  readonly address?: string | undefined
}

export type SessionEffect =
  | { readonly kind: 'send'; readonly frame: RequestFrame }
  /** Store this chunk under the fence of the tab lock, tell the other sessions of what it brought, then call `stored`. */
  | {
      readonly kind: 'append'
      readonly chunk: Chunk
      readonly durability: 'strict' | 'relaxed'
      /** To be told also if this session ends before the chunk is stored. */
      readonly told: Telling | null
    }
  /** Make a remade chunk by `makeAnew`, with the bodies that it needs, store it strictly, then call `stored`. */
  | { readonly kind: 'remake'; readonly plan: RemakePlan }
  /** Load these confirmed rows with their bodies, then call `loaded`. */
  | { readonly kind: 'load'; readonly keys: readonly DocumentKey[] }
  /** Find out what this replica has of a body, then call `measured`. */
  | { readonly kind: 'measure'; readonly key: DocumentKey; readonly part: PartName }
  /** Let everybody else have their turn, then call `rested`. */
  | { readonly kind: 'rest' }
  /** What reconciling healed (SPEC R2), or what a relay did not take back (SPEC T2). */
  | {
      readonly kind: 'repaired'
      readonly isNewStore: boolean
      readonly gave: number
      readonly took: number
      readonly refused: readonly { readonly key: DocumentKey; readonly error: Failure }[]
    }
  /** What is on enough disks (SPEC A3). */
  | { readonly kind: 'quorum'; readonly told: QuorumFrame }
  /** Fingerprints differed at a cut where they must not (SPEC P5); it is being joined. */
  | { readonly kind: 'alarm' }
  /** The session is over; close the link. With an error, the other side or this one refused. */
  | { readonly kind: 'end'; readonly error: Failure | null; readonly retryAfterMs: number }

export interface LoadedRow {
  readonly key: DocumentKey
  readonly row: Row
  readonly texts: TextUpdates
}

export type SessionPhase = 'greeting' | 'reconciling' | 'open' | 'ended'

export interface ClientSession {
  readonly phase: SessionPhase
  /** Whether the pull has been at a cut and nothing asked for is outstanding. */
  readonly caughtUp: boolean
  readonly relay: { readonly store: StoreId; readonly user: string; readonly levels: readonly Level[] } | null
  /** The first effects: the hello. */
  begin(): readonly SessionEffect[]
  /** A frame came; `bytes` is its size, for credit. `isMore`: others have come behind it already, and follow. */
  receive(frame: Frame, bytes: number, isMore?: boolean): readonly SessionEffect[]
  /** The chunk that was asked for last is on disk and applied, or there was nothing to store. */
  stored(): readonly SessionEffect[]
  loaded(rows: readonly LoadedRow[]): readonly SessionEffect[]
  measured(
    key: DocumentKey,
    part: PartName,
    stateVector: ReadonlyMap<number, number>,
    digest: string,
  ): readonly SessionEffect[]
  /** There is time for what nobody waits for. */
  rested(): readonly SessionEffect[]
  /** The state has moved on: own writes are on disk, perhaps another tab's. */
  advance(): readonly SessionEffect[]
  /** Time passes: to be called every 2 s or so (SPEC S3). */
  heed(): readonly SessionEffect[]
}
