/**
 * The port between a client and the strategies: how a field is declared, written and read.
 *
 * `@rejoin/resolve` implements it; the client knows only this shape. So an application without texts does
 * not load Yjs, and an application may bring a strategy of its own over one of the core's cells.
 */
import type { Cell, Strategy } from './cells/cell.ts'
import type { TextHead } from './frames.ts'
import type { Mark } from './mark.ts'
import { PackedCells, type ReadEncoded } from './packed-cells.ts'
import type { PackedValue } from './row-packer.ts'
import type { PartName, Row } from './row.ts'

/** What a field's operation is given: its write's mark, and the cell that its writer sees. */
export interface FieldWrite {
  readonly mark: Mark
  readonly seen: Cell | undefined
}

/**
 * A declared field. `Read` is what `get` and queries show, `Insert` what `insert` takes (undefined if it may be
 * left out), `Patch` what `update` takes. Writing throws `value-unsupported`, `key-forbidden` or `limit-exceeded`.
 */
export interface Field<Read, Insert, Patch> {
  readonly strategy: Strategy
  /** Keeps nothing alive: a deletion names it as seen whatever comes (views, last opened). */
  readonly passive: boolean
  /** The cell that an insert writes, or null if it writes none. Over a seen cell it empties what it does not keep. */
  insert(input: Insert, write: FieldWrite): Cell | null
  /**
   * Only of `lww`: as `insert` over no cell, but that it gives only the value, to be packed with those of other rows; null
   * if there is none. A text or a number is given as `read` shows it.
   */
  readonly insertPacked?: ((input: Insert) => PackedValue | null) | undefined
  /** The cell that an update writes, or null if it changes nothing. */
  update(patch: Patch, write: FieldWrite): Cell | null
  /** The value that readers see. Must not change what it returns for one cell. */
  read(cell: Cell | undefined): Read
  /** Only of `lww`: the same of a value that lies between two places of some bytes. */
  readonly readEncoded?: ReadEncoded<Read> | undefined
  /** Only of `ask`: what a person must decide, or null. */
  readonly conflict?: ((cell: Cell | undefined) => FieldConflict<Read> | null) | undefined
  /** Only of `ask`: the cell that a resolution writes. `keep` writes what the field makes of all sides. */
  readonly settle?: ((resolution: FieldResolution<Read>, write: FieldWrite) => Cell) | undefined
  /** Only of `text`. */
  readonly text?: TextSupport | undefined
}

/** What reading takes of a field. */
export type ReadableField<Read = unknown> = Pick<
  Field<Read, never, never>,
  'strategy' | 'read' | 'readEncoded'
>

/** What a field shows of a row. */
export function readField<Read>(row: Row, part: PartName, field: ReadableField<Read>): Read {
  const { cells } = row
  const { readEncoded } = field
  if (readEncoded === undefined || !(cells instanceof PackedCells)) return field.read(cells.get(part))
  const column = cells.open.byPart.get(part)
  if (column === undefined) return field.read(undefined)
  const waiting = cells.waitingIn(column)
  if (waiting === undefined) return cells.readValue(column, readEncoded)
  if (waiting instanceof Uint8Array) return readEncoded(waiting, 0, waiting.length, null, 0)
  // By `insertPacked`, whose type says nothing of what is shown.
  return waiting as Read
}

export interface FieldConflict<Value> {
  readonly base: { readonly mark: Mark; readonly value: Value } | null
  /** Distinct sides, smallest mark first; the last is what reads show provisionally (SPEC K2). */
  readonly sides: readonly { readonly mark: Mark; readonly value: Value }[]
  /** Whether a function settles it without a person (SPEC K5). */
  readonly settledBy: 'person' | 'function'
}

export type FieldResolution<Value> =
  | { readonly pick: number }
  | { readonly value: Value }
  | { readonly keep: 'all' }

/** What `text` fields bring along for the bodies. Updates are Yjs V1 updates of one document with one root text. */
export interface TextSupport {
  /** The update with which an insert begins a text, or null for an empty one. `client` is a Yjs client id. */
  create(initial: string, client: number): Uint8Array | null
  /** The update that deletes everything that readers see and puts `initial` there; null if that changes nothing. */
  clear(body: readonly Uint8Array[], client: number, initial?: string): Uint8Array | null
  /** A live document over a body; local edits bear `client`. */
  open(body: readonly Uint8Array[], client: number): TextDocument
  /** One update that holds all of these. */
  merge(updates: readonly Uint8Array[]): Uint8Array
  /** State vector, digest and size of a body. */
  head(body: readonly Uint8Array[]): TextHead
  /** What a body holds beyond a state vector; its whole delete set. */
  difference(body: readonly Uint8Array[], stateVector: ReadonlyMap<number, number>): Uint8Array
  /** The plain text that readers see. */
  read(body: readonly Uint8Array[]): string
  /**
   * Makes own updates anew (SPEC W6, X9): the same edits at the same places, over `now`, which is all that stands. They
   * were made over `now` or what it was made of, and over `before`, which stands no more, and what `moves` say. One
   * update for each of `later`, as the client that is named for it, which goes on from where `now` and those before it
   * have it; but for those that are `gone`, on which others of them may stand.
   */
  remake(
    now: readonly Uint8Array[],
    before: readonly Uint8Array[],
    moves: readonly TextMove[],
    later: readonly Uint8Array[],
    clientOf: (update: Uint8Array) => number,
    gone?: ReadonlySet<Uint8Array>,
  ): readonly TextAnew[]
}

/**
 * What becomes of an update that is made anew: another one; or `nothing`, where it only deleted or formatted what is gone;
 * or it is `lost`, where it builds on what nobody has any more.
 */
export type TextAnew = Uint8Array | 'nothing' | 'lost'

/** Updates of one write that were made anew, and what they became; nothing if they were refused. */
export interface TextMove {
  readonly old: readonly Uint8Array[]
  readonly now: readonly Uint8Array[]
}

export interface TextDocument {
  /** The real Y.Text and Y.Doc, for editors. Typed where Yjs is known. */
  readonly text: unknown
  readonly document: unknown
  /** Takes in updates that came from elsewhere, in their order, as one transaction: editors show them at once. */
  apply(updates: readonly Uint8Array[]): void
  /** From the next local edit on, edits bear this Yjs client id. */
  setClient(client: number): void
  /** What was typed since it was asked last, as few updates in their order. */
  takeEdits(): readonly Uint8Array[]
  /** Calls back when there is something to take, once until it is taken. Returns how to stop. */
  onEdit(listener: () => void): () => void
  close(): void
}
