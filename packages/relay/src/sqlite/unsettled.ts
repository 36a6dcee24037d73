/**
 * What commits changed and the log alone has on disk, until it is put in its place: the record of each space, its rows
 * and its writers as they are now. Who reads a table looks here first.
 */
import type { DocumentKey, FeedRow, HeldRow, SpaceRecord, WriterId, WriterRecord } from '@rejoin/core'

export interface Unsettled {
  readonly spaces: Map<string, UnsettledSpace>
  /** Of all spaces. */
  rows: number
  /** What the log has. */
  bytes: number
}

export interface UnsettledSpace {
  /** Its own in the tables. */
  readonly number: number
  record: SpaceRecord
  readonly rows: Map<DocumentKey, HeldRow>
  readonly writers: Map<WriterId, PlacedWriter>
}

/** A writer with the position of its change. */
export interface PlacedWriter {
  readonly record: WriterRecord
  readonly position: number
}

export function createUnsettled(): Unsettled {
  return { spaces: new Map(), rows: 0, bytes: 0 }
}

export function clearUnsettled(unsettled: Unsettled): void {
  unsettled.spaces.clear()
  unsettled.rows = unsettled.bytes = 0
}

/** That of a space, whose record is this from now on. */
export function noteRecord(
  { spaces }: Unsettled,
  name: string,
  number: number,
  record: SpaceRecord,
): UnsettledSpace {
  let space = spaces.get(name)
  if (space === undefined) spaces.set(name, (space = { number, record, rows: new Map(), writers: new Map() }))
  space.record = record
  return space
}

/** Whether it was settled before. */
export function noteRow(
  unsettled: Unsettled,
  { rows }: UnsettledSpace,
  key: DocumentKey,
  held: HeldRow,
): boolean {
  const before = rows.size
  rows.set(key, held)
  unsettled.rows += rows.size - before
  return rows.size > before
}

/** It is in its place as it is now. */
export function forgetRow(unsettled: Unsettled, { rows }: UnsettledSpace, key: DocumentKey): void {
  if (rows.delete(key)) unsettled.rows -= 1
}

/**
 * A slice of the feed, of `limit` as in `RelayStore.feed`. `stored`: what is settled of it, as far as one row beyond the
 * limit; `commitAt`: what is settled of one commit.
 */
export function mergeFeed(
  { rows }: UnsettledSpace,
  stored: readonly FeedRow[],
  after: number,
  limit: number,
  commitAt: (position: number) => readonly FeedRow[],
): readonly FeedRow[] {
  const unsettled = Array.from(rows, ([key, held]): FeedRow => ({ key, held }))
  const merged = [...stored, ...unsettled.filter(({ held }) => held.position > after)]
  merged.sort((a, b) => a.held.position - b.held.position)
  const cut = merged[limit]?.held.position
  if (cut === undefined) return merged
  // The commit that the limit would cut comes with the next call, or, if it is the first, whole with this one.
  const whole = merged.filter(({ held }) => held.position < cut)
  if (whole.length > 0) return whole
  return [...commitAt(cut), ...unsettled.filter(({ held }) => held.position === cut)]
}
