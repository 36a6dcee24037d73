/**
 * Reconciling: the relay and this replica find out what the other one lacks, by ranges (SPEC S2-S4, R1, R2).
 *
 * A join is both ways, and its end is a cut: cursor and frontier become the relay's, and the reach with the next cut. A give
 * is towards the relay alone, whenever its frontier does not cover this replica's reach.
 */
import type { PulledChunk } from '../chunk.ts'
import { failure } from '../errors.ts'
import type { ChangedRow, RangeFrame } from '../frames.ts'
import { addPosition, coversPositions, joinPositions, noPositions, type Positions } from '../generations.ts'
import { compareRanges, createRowIndex, firstRanges, type RowIndex } from '../reconcile.ts'
import { emptyRow, joinRows, rowExists, type DocumentKey, type Row } from '../row.ts'
import { append, ask, end, factsOf, pulledChunk, send, type Conversation } from './conversation.ts'
import type { Giving } from './giving.ts'
import { lackingMs } from './lacking.ts'
import { feedEnd, isHeldByRelay, noteGiven, type Pull } from './pull.ts'
import { isNothingWanted, wantRows, type Wants } from './wants.ts'

export interface Reconciling {
  /** Whether this session had a give: then the relay may have known more of what it was given (SPEC P5). */
  hasGiven(): boolean
  /** Whether the relay refused some of what it lacks: then it differs, and no difference is worth a look (SPEC P5). */
  isRefused(): boolean
  /** `mustBeEqual`: nothing that is known explains a difference; if its join does not either, that is an alarm (SPEC P5). */
  begin(how: 'join' | 'give', mustBeEqual?: boolean): void
  takeRanges(frame: RangeFrame): void
  /** A row that was asked for came whole. */
  answered(row: ChangedRow): void
  /** S3: to be asked again and again; a relay that has not covered the reach for a while is given what it lacks. */
  heed(): void
  /** Asks for the chunk with which it ends, if nothing is outstanding. */
  endIfDone(): void
  /** A chunk is on disk: whether it was that one. */
  hasEnded(): boolean
}

/** How many rows that differ are asked for at once. */
const askedMax = 16_384
/** What a relay refused for its time it may take later: it is given that again so often, in milliseconds. */
const offeredAgainMs = 60_000

export function createReconciling(
  conversation: Conversation,
  pull: Pull,
  wants: Wants,
  giving: Giving,
): Reconciling {
  const { state, now } = conversation
  let index: RowIndex | null = null
  let how: 'join' | 'give' = 'join'
  let isRanging = false
  let isEnding = false
  let hasGiven = false
  /** Rows that differ and have not come, those of them that are still to be asked for, and how many of those that came brought something. */
  let differing = new Set<DocumentKey>()
  let unasked: DocumentKey[] = []
  let took = 0
  let isAlarming = false
  let isNewStore = false
  /** Whether the relay lacks rows that this client may not give. */
  let withheld = false
  /** Whether the relay had all that was here when it was given that last in this session; null if it was not. */
  let hadAll: boolean | null = null
  /** What this replica held when it began: what came from other relays since is not in the ranges. */
  let reachBefore = noPositions
  /** A reach of which the relay has what this replica held then and it took, but for feeds of which others told more since. */
  let reachGiven = noPositions
  /** What the relay did not take in this session, as it was given: as such it is not given again (SPEC T2). */
  const refusedRows = new Map<DocumentKey, Row>()
  /** When something was refused for its time, until that is given again. */
  let refusedForNowAt: number | null = null
  let lacking: { readonly reach: Positions; readonly since: number } | null = null

  function begin(kind: 'join' | 'give', mustBeEqual: boolean = false): void {
    conversation.phase = 'reconciling'
    how = kind
    isAlarming = mustBeEqual
    hasGiven ||= kind === 'give'
    index = createRowIndex(confirmedRows())
    conversation.beside.elsewhere.given(null)
    reachBefore = state.reach
    differing = new Set()
    unasked = []
    took = 0
    isNewStore = !state.cursors.has(conversation.store)
    isRanging = true
    giving.begin()
    send(conversation, { type: 'range', ranges: firstRanges(index) })
  }

  function* confirmedRows(): Iterable<readonly [DocumentKey, Row]> {
    for (const key of new Set(state.keys())) {
      const row = state.confirmed(key)
      if (row !== undefined) yield [key, row]
    }
  }

  /** So many at once that the relay has always something to send, and each chunk remembers no more of them (SPEC P4). */
  function askForSome(): void {
    if (differing.size - unasked.length <= askedMax / 2) wantRows(wants, unasked.splice(0, askedMax / 2))
  }

  function isHadByRelay(reach: Positions): boolean {
    const given = conversation.beside.elsewhere.withoutTold(factsOf(conversation), reachGiven)
    return coversPositions(
      factsOf(conversation),
      joinPositions(factsOf(conversation), pull.frontier, given),
      reach,
    )
  }

  /** S4: the reach is the relay's alone from the next cut on; nothing that was refused, put off or withheld is given. */
  function reachAfter(): Positions {
    const isWhole = !giving.isPutOff && !withheld
    hadAll = isWhole && isNothingRefused()
    if (isWhole) noteHad(reachBefore)
    const reach = joinPositions(factsOf(conversation), state.reach, pull.judged)
    return addPosition(factsOf(conversation), reach, conversation.generation, feedEnd(pull))
  }

  function noteHad(reach: Positions): void {
    reachGiven = joinPositions(factsOf(conversation), reachGiven, reach)
    if (isNothingRefused()) noteGiven(pull, reach)
  }

  function isNothingRefused(): boolean {
    return giving.refused.size + refusedRows.size === 0
  }

  /** S3: what came here since the relay had all, it told too, or was given, or has acknowledged. */
  function hasAllByNow(): boolean {
    const { beside, judge, store, welcome } = conversation
    if (!(hadAll ?? welcome?.covers === true) || !isNothingRefused() || !beside.elsewhere.isEmpty)
      return false
    // Q2: what its leader has, a follower has when it has pulled it.
    return (
      judge === store && [...state.outbox.counts.acknowledged.values()].every(({ acks }) => acks.has(store))
    )
  }

  /** Whether the relay refused this very row; what it refused for its time it may take by now (SPEC C4). */
  function isRefusedRow(key: DocumentKey): boolean {
    const row = refusedRows.get(key)
    return row !== undefined && row === state.confirmed(key)
  }

  /** Gives what the relay lacks; with the last of it the pull may go on, if nothing is to come that is not of the feed. */
  function giveWhatItLacks(keys: readonly DocumentKey[]): void {
    const { welcome, store } = conversation
    // Q2: a follower passes on what it is given, and is asked for its feed.
    const isLast = !isRanging && differing.size === 0 && isNothingWanted(wants) && welcome?.leader === store
    // What comes before the end of the join is on disk is of the feed behind it.
    if (isLast) pull.cursor ??= welcome.cursor
    giving.give(
      keys.filter(key => !isRefusedRow(key)),
      isLast,
    )
  }

  function noteRefused(): void {
    refusedForNowAt = null
    for (const [key, row] of giving.given) {
      const error = giving.refused.get(key)
      if (error === undefined) refusedRows.delete(key)
      else if (error.code === 'clock-skew') refusedForNowAt = now()
      else refusedRows.set(key, row)
    }
  }

  function tellRepair(): void {
    const { given, refused } = giving
    if (given.size === 0 && took === 0) return
    ask(conversation, {
      kind: 'repaired',
      isNewStore,
      gave: given.size - refused.size,
      took,
      refused: Array.from(refused, ([key, error]) => ({ key, error })),
    })
    took = 0
  }

  return {
    hasGiven: () => hasGiven,
    isRefused: () => !isNothingRefused(),
    begin,
    takeRanges(frame) {
      if (index === null || !isRanging)
        return end(conversation, failure('malformed-frame', { reason: 'ranges that nobody asked for' }), 0)
      const { next, mine, theirs } = compareRanges(index, frame.ranges)
      if (how === 'join') {
        for (const key of theirs) {
          differing.add(key)
          unasked.push(key)
        }
        askForSome()
      }
      if (next.length > 0) send(conversation, { type: 'range', ranges: next })
      else isRanging = false
      if (conversation.mayWrite) giveWhatItLacks(mine)
      else withheld ||= mine.length > 0
    },
    answered({ key, delta }) {
      const isDifferent = differing.delete(key)
      askForSome()
      if (!isDifferent) return
      // R2: of two rows that differ, each side sends its own; what was healed here is what it brings.
      const row = state.confirmed(key)
      const joined = joinRows(row ?? emptyRow, delta)
      if (joined === row) return
      took += 1
      // P4: that it was deleted this replica was spared, and had it then from a relay that had not heard of that. It may
      // have been written anew since.
      if (row !== undefined && rowExists(row) && joined.deletion !== row.deletion) isAlarming = false
    },
    heed() {
      conversation.beside.elsewhere.settle(told => isHeldByRelay(pull, told))
      const { phase, mayWrite } = conversation
      const mayGive = phase === 'open' && pull.atCut && mayWrite && giving.isDone() && !giving.isPutOff
      if (mayGive && !isHadByRelay(state.reach) && hasAllByNow()) noteHad(state.reach)
      const lacks = mayGive && !isHadByRelay(state.reach)
      if (!lacks) lacking = null
      // What other relays told since goes its own way for a while.
      else if (lacking === null || isHadByRelay(lacking.reach)) lacking = { reach: state.reach, since: now() }
      const isStillLacking = lacking !== null && now() - lacking.since >= lackingMs
      const isOfferedAgain = mayGive && refusedForNowAt !== null && now() - refusedForNowAt >= offeredAgainMs
      if (!isStillLacking && !isOfferedAgain) return
      lacking = null
      begin('give')
    },
    endIfDone() {
      const { phase, busy, welcome } = conversation
      const isAsking = isRanging || unasked.length > 0 || !isNothingWanted(wants)
      if (phase !== 'reconciling' || busy || isAsking || !giving.isDone() || !welcome) return
      noteRefused()
      if (isAlarming && isNothingRefused()) ask(conversation, { kind: 'alarm' })
      isAlarming = false
      tellRepair()
      const joined: Partial<PulledChunk> =
        how === 'give'
          ? {}
          : {
              cursor: (pull.cursor ??= welcome.cursor),
              frontier: { positions: pull.frontier, how: 'replace' },
            }
      const chunk = pulledChunk(conversation, { ...joined, reach: reachAfter(), wants: [] })
      append(conversation, chunk, 'relaxed')
      index = null
      isEnding = true
    },
    hasEnded() {
      const ended = isEnding
      isEnding = false
      return ended
    },
  }
}
