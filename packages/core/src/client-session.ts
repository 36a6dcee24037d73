/**
 * A client's side of one session with a relay: how it begins, pull, submit, give (SPEC S1-S4, P1-P5, L2, L3, R1).
 *
 *   greeting --welcome--> reconciling (join or give) --> open --> ended
 *        \---- resume, and the relay covers my reach ----/
 *
 * Nothing changes the replica but chunks: the session asks for them to be stored, one at a time, and goes on when
 * `stored` says that the last one is on disk and applied. So a batch and its cursor are never apart (P1), and what
 * is judged against the state is judged against what a crash would leave.
 */
import { bodyKey } from './bodies.ts'
import type { Chunk, PulledChunk, StoredVerdict } from './chunk.ts'
import { failure, type Failure } from './errors.ts'
import { isSameFingerprint } from './fingerprint.ts'
import {
  protocolVersion,
  type ChangedRow,
  type ChangesFrame,
  type Frame,
  type GivenFrame,
  type GiveFrame,
  type Level,
  type RangeFrame,
  type SubmittedTransaction,
  type TextFrame,
  type VerdictException,
  type VerdictFrame,
  type WelcomeFrame,
} from './frames.ts'
import {
  addPosition,
  coversPositions,
  joinPositions,
  type Cursor,
  type Generation,
  type Positions,
  type StoreId,
} from './generations.ts'
import { limits } from './limits.ts'
import type { WriterId } from './mark.ts'
import { isAcknowledgementHeld, type ReplicaState } from './replica.ts'
import { compareRanges, createRowIndex, firstRanges, type RowIndex } from './reconcile.ts'
import { isOrphan, type RemakePlan } from './remake.ts'
import { countParts, emptyRow, joinRows, type DocumentKey, type PartName, type Row } from './row.ts'
import type { Transaction, TransactionId, TextUpdates, Write } from './write.ts'
import { partsOfGive, sizeOfTransaction } from './size.ts'

export interface SessionOptions {
  readonly space: string
  readonly token: string
  readonly replica: StoreId
  readonly device: string
  readonly level: Level
}

export type SessionEffect =
  | { readonly kind: 'send'; readonly frame: Frame }
  /** Store this chunk under the fence of the tab lock, then call `stored`. */
  | { readonly kind: 'append'; readonly chunk: Chunk; readonly durability: 'strict' | 'relaxed' }
  /** Make a remade chunk by `makeAnew`, with the bodies that it needs, store it strictly, then call `stored`. */
  | { readonly kind: 'remake'; readonly plan: RemakePlan }
  /** Load these confirmed rows with their bodies, then call `loaded`. */
  | { readonly kind: 'load'; readonly keys: readonly DocumentKey[] }
  /** Find out what this replica has of a body, then call `measured`. */
  | { readonly kind: 'measure'; readonly key: DocumentKey; readonly part: PartName }
  /** The relay's time when its frame was made (SPEC C2). */
  | { readonly kind: 'clock'; readonly relayTime: number }
  /** What reconciling healed (SPEC R2), or what a relay did not take back (SPEC T2). */
  | {
      readonly kind: 'repaired'
      readonly gave: number
      readonly took: number
      readonly refused: readonly { readonly key: DocumentKey; readonly error: Failure }[]
    }
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
  /** A frame came; `bytes` is its size, for credit. */
  receive(frame: Frame, bytes: number): readonly SessionEffect[]
  /** The chunk that was asked for last is on disk and applied. Null: there was nothing to store. */
  stored(): readonly SessionEffect[]
  loaded(rows: readonly LoadedRow[]): readonly SessionEffect[]
  measured(
    key: DocumentKey,
    part: PartName,
    stateVector: ReadonlyMap<number, number>,
    digest: string,
  ): readonly SessionEffect[]
  /** The state has moved on: own writes are on disk, perhaps another tab's. */
  advance(): readonly SessionEffect[]
}

/** How many transactions are under way at most, and about how many bytes of them. */
const windowTransactions = 2048
const windowBytes = 2 * 1024 * 1024
const frameBytes = 256 * 1024
/** How many rows one frame asks for: their names alone must fit. */
const wantKeysMax = 4096
/** What a relay may send before it hears that this client has stored it. */
const creditBytes = 4 * 1024 * 1024
/** After so many answers of one kind to one transaction, giving does not help: it goes to the quarantine. */
const triesMax = 2

export function createClientSession(
  state: ReplicaState,
  options: SessionOptions,
  now: () => number,
): ClientSession {
  let phase: SessionPhase = 'greeting'
  let effects: SessionEffect[] = []
  let welcome: WelcomeFrame | null = null
  let relayFrontier: Positions = new Map()
  /** Where the pull is; ahead of what is stored by verdicts that moved it alone. */
  let cursor: Cursor | null = null
  let atCut = false
  let everCut = false
  let newGenerations: Generation[] = []
  const inbox: Incoming[] = []
  let busy = false
  let uncredited = 0

  // What was asked for and has not come.
  let wantedRows = new Set<DocumentKey>()
  const wantedTexts = new Map<string, { key: DocumentKey; part: PartName }>()
  const headDigests = new Map<string, string>()

  // Reconciling.
  let index: RowIndex | null = null
  let ranging = false
  let joining = false
  let everGave = false
  let takes = new Set<DocumentKey>()
  let takenCount = 0
  const toGive: DocumentKey[] = []
  let loading = false
  // Parts of rows that were given in this session, and those that are answered: the relay counts through it as well.
  let givenParts = 0
  let answeredParts = 0
  const givenKeys = new Set<DocumentKey>()
  const refusedGives = new Map<DocumentKey, Failure>()
  /** Whether the relay lacks rows that this client may not give. */
  let withheld = false

  // Submitting.
  const sent = new Map<number, TransactionId>()
  const sentIds = new Set<TransactionId>()
  let nextIndex = 0
  let answered = 0
  let round = 0
  let sentBytes = 0
  const bytesById = new Map<TransactionId, number>()
  let halted = false
  let remaking: RemakePlan | null = null
  const tries = new Map<TransactionId, number>()
  const refusedHere = new Set<TransactionId>()

  type Incoming =
    | { readonly kind: 'changes'; readonly frame: ChangesFrame }
    | { readonly kind: 'verdict'; readonly frame: VerdictFrame }
    | { readonly kind: 'text'; readonly frame: TextFrame }

  function act(run: () => void): readonly SessionEffect[] {
    effects = []
    if (phase !== 'ended') run()
    const made = effects
    effects = []
    return made
  }

  function send(frame: Frame): void {
    effects.push({ kind: 'send', frame })
  }

  function append(chunk: Chunk, durability: 'strict' | 'relaxed'): void {
    busy = true
    effects.push({ kind: 'append', chunk, durability })
  }

  function end(error: Failure | null, retryAfterMs: number): void {
    phase = 'ended'
    effects.push({ kind: 'end', error, retryAfterMs })
  }

  // ---------------------------------------------------------------- how it begins

  function greet(frame: WelcomeFrame): void {
    welcome = frame
    relayFrontier = frame.frontier
    newGenerations = frame.generations.filter(fact => !state.generations.has(fact.id))
    effects.push({ kind: 'clock', relayTime: frame.time })
    phase = 'reconciling'
    if (frame.begin === 'join') return reconcile(true)
    cursor = frame.cursor
    if (!frame.covers && state.size > 0 && mayWrite()) return reconcile(false)
    open()
  }

  function open(): void {
    phase = 'open'
    index = null
    send({ type: 'range', ranges: [] })
    askAgain()
    step()
  }

  /** P4: what was asked for before the last session ended is asked for again. */
  function askAgain(): void {
    wantedRows = new Set(state.wants)
    sendWants([...wantedRows])
  }

  function sendWants(keys: readonly DocumentKey[]): void {
    for (let from = 0; from < keys.length; from += wantKeysMax)
      send({ type: 'want', keys: keys.slice(from, from + wantKeysMax), texts: [], writers: [] })
  }

  /** S2, S3: by ranges, both ways (a join) or only towards the relay (a give). */
  function reconcile(both: boolean): void {
    joining = both
    everGave ||= !both
    index = createRowIndex(confirmedRows())
    takes = new Set()
    takenCount = 0
    ranging = true
    givenKeys.clear()
    refusedGives.clear()
    send({ type: 'range', ranges: firstRanges(index) })
  }

  function* confirmedRows(): Iterable<readonly [DocumentKey, Row]> {
    const keys = new Set(state.keys())
    for (const key of keys) {
      const row = state.confirmed(key)
      if (row !== undefined) yield [key, row]
    }
  }

  function takeRanges(frame: RangeFrame): void {
    if (index === null || !ranging)
      return end(failure('malformed-frame', { reason: 'ranges that nobody asked for' }), 0)
    const { next, mine, theirs } = compareRanges(index, frame.ranges)
    if (mayWrite()) toGive.push(...mine)
    else withheld ||= mine.length > 0
    if (joining && theirs.length > 0) {
      for (const key of theirs) {
        takes.add(key)
        wantedRows.add(key)
      }
      sendWants(theirs)
    }
    if (next.length > 0) send({ type: 'range', ranges: next })
    else ranging = false
    giveNext()
    endReconciling()
  }

  function giveNext(): void {
    if (loading || toGive.length === 0) return
    loading = true
    const keys = toGive.splice(0, 256)
    effects.push({ kind: 'load', keys })
  }

  function give(rows: readonly LoadedRow[]): void {
    for (const part of partsOfGive(rows)) {
      givenParts += part.length
      const frame: GiveFrame = { type: 'give', rows: part }
      send(frame)
    }
    for (const { key } of rows) givenKeys.add(key)
  }

  function takeGiven(frame: GivenFrame): void {
    answeredParts = frame.count
    for (const { key, error } of frame.refused) refusedGives.set(key, refusedGives.get(key) ?? error)
    if (cursor !== null) noteAcknowledged(frame.position)
    endReconciling()
  }

  let givenPosition = 0
  function noteAcknowledged(position: number): void {
    givenPosition = Math.max(givenPosition, position)
  }

  /** S4: a join with a relay is a cut. A give that was taken whole leaves only that relay in the reach. */
  function endReconciling(): void {
    if (phase !== 'reconciling') return
    if (ranging || loading || toGive.length > 0 || answeredParts < givenParts) return
    if (busy || inbox.length > 0 || wantedRows.size > 0 || wantedTexts.size > 0) return
    if (welcome === null) return
    const { generation, position } = feedEnd()
    if (givenKeys.size > 0 || takenCount > 0) {
      effects.push({
        kind: 'repaired',
        gave: givenKeys.size - refusedGives.size,
        took: takenCount,
        refused: Array.from(refusedGives, ([key, error]) => ({ key, error })),
      })
    }
    const base = new Map([[generation, position]])
    const reach =
      refusedGives.size > 0 || withheld ? addPosition(facts(), state.reach, generation, position) : base
    if (joining) {
      cursor ??= welcome.cursor
      append(pulled({ cursor, frontier: { positions: relayFrontier, how: 'replace' }, reach }), 'relaxed')
    } else {
      append(pulled({ cursor: null, reach }), 'relaxed')
    }
    takenCount = 0
    opening = true
  }
  let opening = false

  function feedEnd(): { generation: Cursor['generation']; position: number } {
    const generation = welcome?.cursor.generation as Cursor['generation']
    const known = relayFrontier.get(generation) ?? 0
    return { generation, position: Math.max(known, givenPosition, welcome?.cursor.cut ?? 0) }
  }

  // ---------------------------------------------------------------- what comes, one chunk at a time

  /** Own facts and those that the relay told and no chunk has brought yet. */
  function facts(): ReadonlyMap<Generation['id'], Generation> {
    if (newGenerations.length === 0) return state.generations
    return new Map([...state.generations, ...newGenerations.map(fact => [fact.id, fact] as const)])
  }

  function pulled(parts: Partial<PulledChunk>): PulledChunk {
    const generations = newGenerations
    newGenerations = []
    return {
      kind: 'pulled',
      store: welcome?.store as StoreId,
      rows: [],
      texts: [],
      cursor: null,
      wants: outstanding(),
      writers: [],
      generations,
      frontier: null,
      reach: null,
      at: now(),
      ...parts,
    }
  }

  function outstanding(): readonly DocumentKey[] {
    return [...new Set([...wantedRows, ...[...wantedTexts.values()].map(({ key }) => key)])]
  }

  function step(): void {
    if (busy) return
    const first = inbox[0]
    if (first !== undefined) {
      if (first.kind === 'verdict') {
        inbox.shift()
        storeVerdicts(first.frame)
      } else {
        storeChanges()
      }
      if (busy) return
      return step()
    }
    if (remaking !== null) {
      busy = true
      const plan = remaking
      remaking = null
      effects.push({ kind: 'remake', plan })
      return
    }
    endReconciling()
    if (busy || phase !== 'open') return
    goOn()
    submit()
  }

  /** Consecutive frames become one chunk, up to one that brings a fingerprint to compare with. */
  function storeChanges(): void {
    const frames: ChangesFrame[] = []
    const updates: { key: DocumentKey; part: PartName; update: Uint8Array }[] = []
    let rowCount = 0
    for (;;) {
      const next = inbox[0]
      if (next === undefined || next.kind === 'verdict' || rowCount > 4096) break
      inbox.shift()
      if (next.kind === 'text') {
        const { key, part, update, more } = next.frame
        updates.push({ key, part, update })
        if (!more) wantedTexts.delete(bodyKey(key, part))
        continue
      }
      frames.push(next.frame)
      rowCount += next.frame.rows.length
      if ((next.frame.cut?.fingerprint ?? null) !== null) break
    }
    const rows = frames.flatMap(frame => frame.rows)
    for (const frame of frames) if (frame.answer) for (const row of frame.rows) arrived(row)
    const writers = frames.flatMap(frame => frame.writers)
    wantWhatIsMissing(rows)
    const last = frames.filter(frame => !frame.answer).at(-1)
    const cut = frames.filter(frame => frame.cut !== null).at(-1)?.cut ?? null
    if (cut !== null)
      for (const fact of cut.generations) if (!state.generations.has(fact.id)) newGenerations.push(fact)
    let reach = state.reach
    const generation = welcome?.cursor.generation as Cursor['generation']
    // A page may end within a commit, and its rows are as of the end of the feed.
    const highest = Math.max(0, ...frames.map(({ head }) => head))
    if (highest > 0) reach = addPosition(facts(), reach, generation, highest)
    let frontier: PulledChunk['frontier'] = null
    if (last !== undefined && cursor !== null) {
      cursor = { generation, cut: cursor.cut, place: last.place }
      atCut = last.cut !== null
      if (cut !== null) {
        relayFrontier = joinPositions(
          facts(),
          relayFrontier,
          new Map([...cut.frontier, [generation, cut.position]]),
        )
      }
    }
    if (atCut && cursor !== null && wantedRows.size === 0 && wantedTexts.size === 0 && phase === 'open') {
      cursor = { generation, cut: cursor.place, place: cursor.place }
      everCut = true
      frontier = { positions: relayFrontier, how: 'join' }
      if (coversPositions(facts(), relayFrontier, reach)) reach = new Map([[generation, cursor.place]])
    }
    storedKeys = rows.map(row => row.key)
    comparing = frontier === null ? null : (cut?.fingerprint ?? null)
    append(
      pulled({ rows, texts: updates, writers, cursor: phase === 'open' ? cursor : null, frontier, reach }),
      'relaxed',
    )
  }
  let comparing: NonNullable<ChangesFrame['cut']>['fingerprint'] = null

  /** R2: of two rows that differ, each side sends its own; what was healed here is what it brings. */
  function arrived({ key, delta }: ChangedRow): void {
    wantedRows.delete(key)
    const row = state.confirmed(key)
    if (takes.delete(key) && joinRows(row ?? emptyRow, delta) !== row) takenCount += 1
  }

  /** P4: rows of which only parts came and that this replica lacks; X6: bodies of which only the head came. */
  function wantWhatIsMissing(rows: ChangesFrame['rows']): void {
    const keys: DocumentKey[] = []
    for (const { key, delta, parts, texts } of rows) {
      if (
        parts > 0 &&
        countParts(joinRows(state.confirmed(key) ?? emptyRow, delta)) < parts &&
        !wantedRows.has(key)
      ) {
        wantedRows.add(key)
        keys.push(key)
      }
      for (const [part, text] of texts) {
        if (text.kind !== 'head') continue
        wantedTexts.set(bodyKey(key, part), { key, part })
        headDigests.set(bodyKey(key, part), text.head.digest)
        effects.push({ kind: 'measure', key, part })
      }
    }
    sendWants(keys)
  }

  /** K3: a conflict shows who wrote each side. */
  function wantWriters(): void {
    const unknown = new Set<WriterId>()
    for (const key of storedKeys) {
      for (const cell of state.confirmed(key)?.cells.values() ?? []) {
        if (cell.strategy !== 'ask' || cell.siblings.length < 2) continue
        for (const { mark } of cell.siblings) {
          if (!state.writers.has(mark.writer) && !askedWriters.has(mark.writer)) unknown.add(mark.writer)
        }
      }
    }
    storedKeys = []
    for (const writer of unknown) askedWriters.add(writer)
    if (unknown.size > 0) send({ type: 'want', keys: [], texts: [], writers: [...unknown] })
  }
  const askedWriters = new Set<WriterId>()
  let storedKeys: readonly DocumentKey[] = []

  // ---------------------------------------------------------------- verdicts

  function storeVerdicts(frame: VerdictFrame): void {
    const exceptions = new Map<number, VerdictException[]>()
    for (const exception of frame.exceptions)
      exceptions.set(exception.index, [...(exceptions.get(exception.index) ?? []), exception])
    const verdicts: StoredVerdict[] = []
    const giveKeys: DocumentKey[] = []
    const wants: DocumentKey[] = []
    for (; answered < frame.count; answered++) {
      const id = sent.get(answered)
      if (id === undefined) continue
      sent.delete(answered)
      sentIds.delete(id)
      sentBytes -= bytesById.get(id) ?? 0
      bytesById.delete(id)
      const told = exceptions.get(answered) ?? []
      const entry = state.outbox.get(id)
      const refusal = told.find(exception => exception.kind === 'refused')
      if (told.some(exception => exception.kind === 'skipped')) halted = true
      else if (refusal !== undefined) {
        halted = true
        const verdict = refuse(id, refusal.error, refusal.write, entry?.transaction, giveKeys)
        if (verdict !== null) verdicts.push(verdict)
      } else {
        verdicts.push({ id, outcome: { kind: 'acknowledged', shows: showingOf(told) } })
        for (const key of rowsLacked(entry?.transaction.writes ?? [], told)) {
          if (wantedRows.has(key)) continue
          wantedRows.add(key)
          wants.push(key)
        }
      }
    }
    sendWants(wants)
    if (giveKeys.length > 0) {
      toGive.push(...giveKeys)
      giveNext()
    }
    if (frame.cut && cursor !== null && atCut && wantedRows.size === 0) {
      cursor = { generation: frame.generation, cut: frame.position, place: frame.position }
      relayFrontier = addPosition(facts(), relayFrontier, frame.generation, frame.position)
    }
    if (verdicts.length === 0) return
    append(
      {
        kind: 'verdicts',
        store: welcome?.store as StoreId,
        generation: frame.generation,
        position: frame.position,
        verdicts,
        wants: outstanding(),
      },
      'relaxed',
    )
  }

  /** L2: rows of which the confirmed layer may lack parts although their writes are in it. */
  function rowsLacked(writes: readonly Write[], told: readonly VerdictException[]): readonly DocumentKey[] {
    // A whole write says nothing of what the relay had: that is told by exceptions, be it lost, hidden or partial.
    const lacking = new Set(told.map(exception => ('write' in exception ? exception.write : -1)))
    return writes
      .filter((write, i) => (write.whole ? lacking.has(i) : state.confirmed(write.key) === undefined))
      .map(write => write.key)
  }

  /** What a refusal asks for: give and try again, make anew, or the quarantine (null: not settled by this verdict). */
  function refuse(
    id: TransactionId,
    error: Failure,
    write: number,
    transaction: Transaction | undefined,
    giveKeys: DocumentKey[],
  ): StoredVerdict | null {
    const tried = (tries.get(id) ?? 0) + 1
    tries.set(id, tried)
    const keys = new Set((transaction?.writes ?? []).map(({ key }) => key))
    if (tried <= triesMax) {
      switch (error.code) {
        case 'document-unknown':
        case 'unknown-mark':
        case 'text-gap':
          giveKeys.push(...keys)
          return null
        case 'clock-skew':
          effects.push({ kind: 'clock', relayTime: error.details.relayTime })
          remaking = { from: id, keys: null, refused: null }
          return null
        case 'client-id-taken':
          remaking = { from: id, keys, refused: null }
          return null
        case 'overloaded':
          return null
        default:
      }
    }
    refusedHere.add(id)
    const entry = state.outbox.get(id)
    if (entry === undefined || transaction === undefined) return null
    // L2: what another relay has stays; that this one refused it is noted.
    if (entry.acks.size > 0) return { id, outcome: { kind: 'refused', error, write } }
    // L3: what touches a document of the refused one is made anew.
    remaking = { from: id, keys, refused: { transaction, error } }
    return null
  }

  /** L3: after a refusal, once what it asked for is done, says from where to go on. */
  function goOn(): void {
    if (!halted || sent.size > 0 || toGive.length > 0 || loading || answeredParts < givenParts) return
    halted = false
    round += 1
    send({ type: 'go-on', round, first: nextIndex })
  }

  // ---------------------------------------------------------------- submit

  function submit(): void {
    if (halted || !mayWrite()) return
    let batch: SubmittedTransaction[] = []
    let batchBytes = 0
    let first = nextIndex
    const flush = (): void => {
      if (batch.length > 0) send({ type: 'submit', round, first, transactions: batch })
      batch = []
      batchBytes = 0
      first = nextIndex
    }
    for (const entry of state.outbox.entries()) {
      if (sent.size >= windowTransactions || sentBytes >= windowBytes) break
      const { id, writes } = entry.transaction
      if (entry.position === 0 || sentIds.has(id) || refusedHere.has(id) || isAcknowledgedHere(entry.acks))
        continue
      if (entry.acks.size === 0 && writes.some(write => isOrphan(state, write))) {
        // What comes behind it may stand on it, and what is under way must not be made twice.
        if (sent.size === 0) remaking ??= { from: id, keys: new Set(), refused: null }
        break
      }
      const bytes = sizeOfTransaction(entry.transaction)
      if (
        batch.length > 0 &&
        (batchBytes + bytes > frameBytes || batch.length >= limits.transactionsPerFrameMax)
      )
        flush()
      sent.set(nextIndex, id)
      sentIds.add(id)
      bytesById.set(id, bytes)
      sentBytes += bytes
      nextIndex += 1
      batchBytes += bytes
      batch.push({ writes, preconditions: [] })
    }
    flush()
    if (remaking !== null) step()
  }

  /** Q4: who may only read is offered no level, and keeps the outbox for a token that may write. */
  function mayWrite(): boolean {
    return welcome !== null && welcome.levels.length > 0
  }

  function isAcknowledgedHere(
    acks: ReadonlyMap<StoreId, { generation: Cursor['generation']; position: number }>,
  ): boolean {
    const ack = acks.get(welcome?.store as StoreId)
    return ack !== undefined && isAcknowledgementHeld({ generations: facts() }, ack, feedEnd())
  }

  // ---------------------------------------------------------------- P5

  /** At a cut whose source covers my reach, fingerprints are equal; a session that began with a give is no proof. */
  function compare(): void {
    const expected = comparing
    comparing = null
    if (expected === null || everGave || !coversPositions(state.generations, relayFrontier, state.reach))
      return
    if (isSameFingerprint(expected, state.fingerprint)) {
      mismatches = 0
      return
    }
    mismatches += 1
    // Pull once more: a heartbeat asks for the next cut, and its fingerprint decides.
    if (mismatches < 2) return send({ type: 'heartbeat', position: cursor?.cut ?? 0, time: now() })
    mismatches = 0
    effects.push({ kind: 'alarm' })
    phase = 'reconciling'
    reconcile(true)
  }
  let mismatches = 0

  /** S3: gives whenever the source's frontier does not cover my reach, and that has lasted for two heartbeats. */
  function heed(): void {
    const lacking =
      phase === 'open' && atCut && mayWrite() && !coversPositions(facts(), relayFrontier, state.reach)
    uncovered = lacking ? uncovered + 1 : 0
    if (uncovered < 2) return step()
    uncovered = 0
    phase = 'reconciling'
    reconcile(false)
  }
  let uncovered = 0

  return {
    get phase() {
      return phase
    },
    get caughtUp() {
      return (
        phase === 'open' &&
        everCut &&
        atCut &&
        wantedRows.size === 0 &&
        wantedTexts.size === 0 &&
        inbox.length === 0
      )
    },
    get relay() {
      return welcome === null ? null : { store: welcome.store, user: welcome.user, levels: welcome.levels }
    },
    begin: () =>
      act(() =>
        send({
          type: 'hello',
          protocol: protocolVersion,
          space: options.space,
          token: options.token,
          replica: options.replica,
          device: options.device,
          role: 'client',
          cursors: [...state.cursors.values()],
          empty: state.size === 0 || ![...state.keys()].some(key => state.confirmed(key) !== undefined),
          frontier: state.frontier,
          reach: state.reach,
          level: options.level,
          credit: creditBytes,
        }),
      ),
    receive: (frame, bytes) =>
      act(() => {
        uncredited += bytes
        if (
          phase === 'greeting' &&
          frame.type !== 'welcome' &&
          frame.type !== 'refuse' &&
          frame.type !== 'bye'
        ) {
          return end(failure('malformed-frame', { reason: `${frame.type} before welcome` }), 0)
        }
        switch (frame.type) {
          case 'welcome':
            return greet(frame)
          case 'changes':
            inbox.push({ kind: 'changes', frame })
            return step()
          case 'text':
            inbox.push({ kind: 'text', frame })
            return step()
          case 'verdict':
            inbox.push({ kind: 'verdict', frame })
            return step()
          case 'range':
            return takeRanges(frame)
          case 'given':
            takeGiven(frame)
            return step()
          case 'heartbeat':
            return heed()
          case 'refuse':
            return end(frame.error, 0)
          case 'bye':
            return end(null, frame.retryAfterMs)
          default:
            return
        }
      }),
    stored: () =>
      act(() => {
        busy = false
        if (uncredited >= creditBytes / 4) {
          send({ type: 'credit', bytes: uncredited })
          uncredited = 0
        }
        if (opening) {
          opening = false
          return open()
        }
        compare()
        wantWriters()
        step()
      }),
    loaded: rows =>
      act(() => {
        loading = false
        give(rows)
        giveNext()
        step()
      }),
    measured: (key, part, stateVector, digest) =>
      act(() => {
        if (!wantedTexts.has(bodyKey(key, part))) return
        if (digest === headDigests.get(bodyKey(key, part))) {
          wantedTexts.delete(bodyKey(key, part))
          headDigests.delete(bodyKey(key, part))
          return step()
        }
        send({ type: 'want', keys: [], texts: [{ key, part, stateVector }], writers: [] })
      }),
    advance: () => act(step),
  }
}

function showingOf(told: readonly VerdictException[]): 'yes' | 'lost' | 'hidden' {
  for (const { kind } of told) if (kind === 'lost' || kind === 'hidden') return kind
  return 'yes'
}
