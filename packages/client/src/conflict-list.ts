/**
 * Finds open conflicts in rows, and keeps the list up with every change.
 *
 * A conflict stays the same object while its sides do and as much is known of who wrote them. What it was found in is
 * remembered beside it, since a decision may replace only what its maker was shown (SPEC K1).
 */
import {
  collectionOfKey,
  disputeOf,
  documentKey,
  idOfKey,
  rowExists,
  type DocumentKey,
  type Mark,
  type ReplicaState,
  type Row,
  type WriterId,
} from '@rejoin/core'
import type { Changes } from './changes.ts'
import type { Collection, Collections } from './collection.ts'
import type { Conflict, ConflictSide } from './conflicts.ts'
import { freezeValue, isSameValue } from './shown-value.ts'

export interface ConflictList {
  /** Open conflicts in their order; the same list while nothing in it changed. */
  read(): readonly Conflict[]
  /**
   * The row in which a conflict was found. A copy of one, such as a view makes, is known by its sides while they are the
   * same; else undefined.
   */
  sourceOf(conflict: Conflict): Row | undefined
}

export function createConflictList(
  state: ReplicaState,
  collections: Collections,
  changes: Changes,
  isOwn: (writer: WriterId) => boolean,
): ConflictList {
  const watched = new Map(
    Object.values(collections)
      .filter(canConflict)
      .map(collection => [collection.name, collection]),
  )
  const openByKey = new Map<DocumentKey, readonly Conflict[]>()
  const sources = new WeakMap<Conflict, Row>()
  let list: readonly Conflict[] | null = null
  let scanned = false

  function refresh(key: DocumentKey): void {
    const collection = watched.get(collectionOfKey(key))
    if (collection === undefined) return
    const row = state.visible(key)
    const before = openByKey.get(key)
    const found = row === undefined ? [] : findConflicts(collection, key, row, state, isOwn)
    const after = found.map(conflict => before?.find(old => isSameConflict(old, conflict)) ?? conflict)
    if (row !== undefined) for (const conflict of after) sources.set(conflict, row)
    if (before === undefined ? after.length === 0 : isSameList(before, after)) return
    if (after.length === 0) openByKey.delete(key)
    else openByKey.set(key, after)
    list = null
  }

  function scan(): void {
    if (scanned) return
    scanned = true
    // What cannot have a conflict is looked at neither now nor at each change.
    if (watched.size === 0) return
    for (const key of state.keys()) refresh(key)
    changes.onUpdate(({ changed }) => {
      for (const key of changed) refresh(key)
      // Who a writer is may come after what it wrote.
      for (const [key, open] of openByKey) if (open.some(hasStranger)) refresh(key)
    })
  }

  return {
    read() {
      scan()
      list ??= Object.freeze([...openByKey.values()].flat().sort(compareConflicts))
      return list
    },
    sourceOf(conflict) {
      const found = sources.get(conflict)
      if (found !== undefined) return found
      const key = documentKey(conflict.collection, conflict.id)
      const alike = openByKey.get(key)?.find(open => hasSameSides(open, conflict))
      return alike === undefined ? undefined : sources.get(alike)
    },
  }
}

/** Other collections are never read for conflicts, so their rows stay encoded until somebody reads them. */
function canConflict(collection: Collection): boolean {
  return collection.onDelete === 'ask' || collection.parts.some(({ field }) => field.conflict !== undefined)
}

/** The open conflicts of one row. */
function findConflicts(
  collection: Collection,
  key: DocumentKey,
  row: Row,
  state: Pick<ReplicaState, 'writers'>,
  isOwn: (writer: WriterId) => boolean,
): readonly Conflict[] {
  if (!rowExists(row)) return []
  const conflicts: Conflict[] = []
  const place = { collection: collection.name, id: idOfKey(key) }
  const sideOf = <Value>(mark: Mark, value: Value): ConflictSide<Value> => {
    const { writer, ms: when } = mark
    const record = state.writers.get(writer)
    return {
      value,
      who: record?.user ?? null,
      device: record?.device ?? null,
      when,
      writer,
      mine: isOwn(writer),
    }
  }
  const dispute = disputeOf(row)
  if (dispute !== null) {
    conflicts.push({
      ...place,
      key: `${key}\n`,
      kind: 'deletion',
      field: null,
      base: null,
      sides: [sideOf(dispute.deleted, 'delete'), sideOf(dispute.edited, 'keep')],
      provisional: 'keep',
      settledBy: 'person',
    })
  }
  for (const { name, part, field } of collection.parts) {
    if (field.conflict === undefined) continue
    const cell = row.cells.get(part)
    const found = field.conflict(cell)
    if (found === null) continue
    const { base, sides, settledBy } = found
    conflicts.push({
      ...place,
      key: `${key}\n${name}`,
      kind: 'field',
      field: name,
      base: base === null ? null : { value: base.value, when: base.mark.ms },
      sides: sides.map(({ mark, value }) => sideOf(mark, value)),
      provisional: field.read(cell),
      settledBy,
    })
  }
  // `pick` counts its sides as they stand.
  for (const conflict of conflicts) freezeValue(conflict)
  return conflicts
}

function isSameConflict(a: Conflict, b: Conflict): boolean {
  return (
    a.key === b.key &&
    a.kind === b.kind &&
    a.settledBy === b.settledBy &&
    a.sides.length === b.sides.length &&
    a.sides.every((side, i) => isSameSide(side, b.sides[i]))
  )
}

function hasSameSides(a: Conflict, b: Conflict): boolean {
  return (
    a.kind === b.kind &&
    a.field === b.field &&
    a.sides.length === b.sides.length &&
    a.sides.every((side, i) => {
      const other = b.sides[i]
      return side.writer === other?.writer && side.when === other.when && isSameValue(side.value, other.value)
    })
  )
}

/** A writer's marks rise, so writer and time with the value behind them tell a side. */
function isSameSide(a: ConflictSide, b: ConflictSide | undefined): boolean {
  if (b === undefined || a.writer !== b.writer || a.when !== b.when) return false
  return Object.is(a.value, b.value) && a.who === b.who && a.device === b.device && a.mine === b.mine
}

function isSameList(a: readonly Conflict[], b: readonly Conflict[]): boolean {
  return a.length === b.length && a.every((conflict, i) => conflict === b[i])
}

function hasStranger({ sides }: Conflict): boolean {
  return sides.some(side => side.who === null)
}

/** By when it began, which does not change with what comes later; then by place. */
function compareConflicts(a: Conflict, b: Conflict): number {
  const began = (a.sides[0]?.when ?? 0) - (b.sides[0]?.when ?? 0)
  return began !== 0 ? began : a.key < b.key ? -1 : a.key > b.key ? 1 : 0
}
