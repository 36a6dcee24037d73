/**
 * The frames of a session, as values. Their bytes are in wire/.
 *
 * client:  hello ->  <- welcome   [range/give both ways]   submit, go-on, want ->   <- changes, verdict, text
 * peer:    hello ->  <- welcome, hello   welcome ->   then each side sends changes and asks with want
 * passed:  of a client's session at a follower, what is to be judged -> and the answers <-, wrapped, over a peer's link
 */
import type { Failure } from './errors.ts'
import type { Cursor, Generation, GenerationId, Positions, StoreId } from './generations.ts'
import type { Fingerprint } from './fingerprint.ts'
import type { Mark, WriterId } from './mark.ts'
import type { DocumentKey, PartName, Row } from './row.ts'
import type { TextUpdates, Write } from './write.ts'

export const protocolVersion = 1

export type Level = 'local' | 'relay' | 'quorum'

/** The first frame of a session, of who asks (SPEC S1). */
export interface HelloFrame {
  readonly type: 'hello'
  readonly protocol: number
  readonly space: string
  readonly token: string
  /** Names the store of who asks: a client's replica, or a peer's store. */
  readonly replica: StoreId
  /** What people call the device. */
  readonly device: string
  readonly role: 'client' | 'peer'
  /** How far the pull from each relay that it met has come; the relay picks its own (SPEC S2). */
  readonly cursors: readonly Cursor[]
  /** Whether the confirmed layer holds no row at all: such a replica has nothing to join. */
  readonly empty: boolean
  readonly frontier: Positions
  readonly reach: Positions
  readonly level: Level
  /** Bytes that the relay may send before it hears of more credit; 0 for no bound (SPEC F3). */
  readonly credit: number
}

/** The answer to a hello. */
export interface WelcomeFrame {
  readonly type: 'welcome'
  /** The relay's time in milliseconds: the client corrects its clock by it (SPEC C2). */
  readonly time: number
  readonly store: StoreId
  /** How the session begins (SPEC S2). */
  readonly begin: 'resume' | 'join' | 'new'
  /** Where the pull goes on; of a join, the cut at which it began. */
  readonly cursor: Cursor
  /** Facts that the other side may lack to compare the frontier with its reach; the store's lineage first. */
  readonly generations: readonly Generation[]
  readonly frontier: Positions
  /** Whether the source's frontier covers the reach that the hello told; if not, give first (SPEC S3). */
  readonly covers: boolean
  readonly levels: readonly Level[]
  /** The user that the token stands for. */
  readonly user: string
  readonly leader: StoreId | null
  readonly term: number
}

/** Why a session ends or cannot begin. Sent before the link is closed. */
export interface RefuseFrame {
  readonly type: 'refuse'
  readonly error: Failure
}

/** The relay goes; come back after this time and a jitter of your own. */
export interface ByeFrame {
  readonly type: 'bye'
  readonly retryAfterMs: number
}

/** More bytes that the other side may send. */
export interface CreditFrame {
  readonly type: 'credit'
  readonly bytes: number
}

/** What is known of a text's body without having it (SPEC X6). */
export interface TextHead {
  /** Yjs client -> number of structs' clocks that are known, from 0. */
  readonly stateVector: ReadonlyMap<number, number>
  /** Covers state vector and delete set (SPEC X3). */
  readonly digest: string
  readonly bytes: number
}

export type TextPart =
  | { readonly kind: 'tail'; readonly updates: readonly Uint8Array[] }
  | { readonly kind: 'head'; readonly head: TextHead }

/** A row, or those parts of it that changed after the cursor's cut. */
export interface ChangedRow {
  readonly key: DocumentKey
  readonly delta: Row
  /** 0 if the row is complete in `delta`; else how many parts the source has in all (SPEC P4). */
  readonly parts: number
  readonly texts: ReadonlyMap<PartName, TextPart>
}

/** The end of a feed at one instant, and what holds there (SPEC P3, P5). */
export interface Cut {
  readonly generation: GenerationId
  readonly position: number
  readonly frontier: Positions
  readonly generations: readonly Generation[]
  /** Of the rows that exist, or null where the source did not compute it for this frame. */
  readonly fingerprint: Fingerprint | null
}

export interface ChangesFrame {
  readonly type: 'changes'
  readonly rows: readonly ChangedRow[]
  /** How far the pull has come with this frame; of answers, the end of the feed when they were read. */
  readonly place: number
  /** The end of the feed when these rows were read: they hold nothing that came later. At a cut, its position. */
  readonly head: number
  /** Not null if the source's feed ends here. */
  readonly cut: Cut | null
  /** Whether these rows answer a `want` and are complete. `keys` that the source lacks are left out. */
  readonly answer: boolean
  /** Who writers are: to peers what changed, to clients what they asked for (SPEC T4). */
  readonly writers: readonly WriterRecord[]
}

/** What a relay remembers of a writer (SPEC T4). */
export interface WriterRecord {
  readonly writer: WriterId
  readonly user: string
  readonly device: string
  /** The greatest mark of its own submits. */
  readonly highest: Mark
}

/** Asks for rows whole (SPEC P4), for what is missing of bodies (SPEC X6), and for who writers are (SPEC T4). */
export interface WantFrame {
  readonly type: 'want'
  readonly keys: readonly DocumentKey[]
  readonly texts: readonly WantedText[]
  readonly writers: readonly WriterId[]
}

export interface WantedText {
  readonly key: DocumentKey
  readonly part: PartName
  /** What the asker has. */
  readonly stateVector: ReadonlyMap<number, number>
}

/** What the asker of a text lacks, in as many frames as its size demands; all have the digest of the whole. */
export interface TextFrame {
  readonly type: 'text'
  readonly key: DocumentKey
  readonly part: PartName
  readonly update: Uint8Array
  /** Whether another frame of this answer follows. */
  readonly more: boolean
}

export interface SubmittedTransaction {
  readonly writes: readonly Write[]
  /** Room for `ifUnchanged` (SPEC Q2): the marks that must still stand. */
  readonly preconditions: readonly {
    readonly key: DocumentKey
    readonly part: PartName
    readonly mark: Mark | null
  }[]
}

/** Offers own writes. Transactions are counted from 0 through the whole session. */
export interface SubmitFrame {
  readonly type: 'submit'
  /** The number of the last go-on that was sent, 0 before the first (SPEC L3). */
  readonly round: number
  readonly transactions: readonly SubmittedTransaction[]
}

/** After a refusal: judge again what comes from here on. */
export interface GoOnFrame {
  readonly type: 'go-on'
  readonly round: number
}

export type VerdictException =
  | { readonly index: number; readonly kind: 'refused'; readonly write: number; readonly error: Failure }
  /** It came after a refused one in the same round and was not judged. */
  | { readonly index: number; readonly kind: 'skipped' }
  /** Accepted, but it shows nowhere: lost to a greater write, or hidden by a deletion (SPEC Q1). */
  | { readonly index: number; readonly kind: 'lost' | 'hidden'; readonly write: number }
  /** Accepted; the relay's row has parts that the write does not bring, so ask for it (SPEC L2). */
  | { readonly index: number; readonly kind: 'partial'; readonly write: number }

/** Cumulative: everything up to `count` is answered; accepted and on disk but for the exceptions (SPEC A1). */
export interface VerdictFrame {
  readonly type: 'verdict'
  readonly count: number
  readonly generation: GenerationId
  /** The commit that holds them. */
  readonly position: number
  /** Whether the pull is at this position too: the commit held nothing that the submitter lacks. */
  readonly cut: boolean
  readonly exceptions: readonly VerdictException[]
}

/** One range of rows in the order of (greatest mark, key, digest), from where the one before ended (SPEC R1). */
export interface Range {
  /** Exclusive upper end; null for "to the end". */
  readonly end: RangeBound | null
  readonly content:
    | { readonly kind: 'skip' }
    | { readonly kind: 'sum'; readonly count: number; readonly hash: string }
    | { readonly kind: 'items'; readonly items: readonly RangeItem[] }
}

export interface RangeBound {
  readonly mark: Mark
  /** Null where the mark alone tells it from the row before: all of that mark are beyond it. */
  readonly key: DocumentKey | null
}

export interface RangeItem {
  readonly mark: Mark
  readonly key: DocumentKey
  readonly digest: string
}

/** Asks for, or answers with, ranges. Without any: the reconciling of who asked has ended, the pull may begin. */
export interface RangeFrame {
  readonly type: 'range'
  readonly ranges: readonly Range[]
}

/** Rows that the other side lacks, whole (SPEC S3, R1). Answered by `given`. */
export interface GiveFrame {
  readonly type: 'give'
  readonly rows: readonly { readonly key: DocumentKey; readonly row: Row; readonly texts: TextUpdates }[]
  /** Whether the reconciling ends with it: the pull may begin behind the commit that answers it. */
  readonly last: boolean
}

/** Cumulative answer to gives: committed, but for those refused (SPEC T2). */
export interface GivenFrame {
  readonly type: 'given'
  /** How many given rows are answered in this session. */
  readonly count: number
  readonly generation: GenerationId
  readonly position: number
  readonly refused: readonly { readonly key: DocumentKey; readonly error: Failure }[]
}

/** Head and time, so that idle does not look like lag. */
export interface HeartbeatFrame {
  readonly type: 'heartbeat'
  readonly position: number
  readonly time: number
}

/** Ephemeral, never stored. */
export interface PresenceFrame {
  readonly type: 'presence'
  readonly from: string
  readonly state: Uint8Array
}

/** Everything of a feed up to a position is on the disks of as many relays as was asked for (SPEC A3). */
export interface QuorumFrame {
  readonly type: 'quorum'
  readonly generation: GenerationId
  readonly position: number
}

/** Between relays: one of the sessions that a follower passes on to its leader over their link (SPEC Q2). */
export interface PassedFrame {
  readonly type: 'passed'
  /** The follower's number of the session, used once for each link. */
  readonly session: number
  readonly content: PassedContent
}

export type PassedContent =
  /** Whose session it is: what the follower found out from its token. */
  | { readonly kind: 'begin'; readonly user: string; readonly replica: StoreId; readonly device: string }
  /** An encoded frame as it stands: upwards what is to be judged, downwards what is answered. */
  | { readonly kind: 'frame'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' }

/** What a client says. */
export type RequestFrame =
  | HelloFrame
  | CreditFrame
  | WantFrame
  | SubmitFrame
  | GoOnFrame
  | RangeFrame
  | GiveFrame
  | HeartbeatFrame

/** What a client hears. */
export type AnswerFrame =
  | WelcomeFrame
  | RefuseFrame
  | ByeFrame
  | ChangesFrame
  | TextFrame
  | VerdictFrame
  | RangeFrame
  | GivenFrame
  | HeartbeatFrame
  | PresenceFrame
  | QuorumFrame

export type Frame = RequestFrame | AnswerFrame | PassedFrame
