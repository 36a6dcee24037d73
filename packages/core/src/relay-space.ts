/**
 * A relay's side of one space: judging, the feed, and what subscribers are told (SPEC A1, F1, F2, P2, Q1, T4).
 *
 * It works in turns. A turn takes frames in, against rows that were loaded for it, into a draft; the draft becomes
 * one commit; when that is on disk, `committed` moves the state on and says what to send: verdicts first, then the
 * change to everybody whose pull is at the cut before. If the commit fails, the draft is dropped and nothing was
 * said. A session is a cursor, never a queue: who falls behind is sent pages again from where it is.
 */
import { failure, type Failure } from './errors.ts'
import { emptyFingerprint, replaceInFingerprint, type Fingerprint } from './fingerprint.ts'
import type {
  ChangedRow,
  ChangesFrame,
  Cut,
  Frame,
  GiveFrame,
  GoOnFrame,
  HelloFrame,
  Level,
  SubmitFrame,
  TextPart,
  VerdictException,
  WelcomeFrame,
  WriterRecord,
} from './frames.ts'
import {
  addPosition,
  coversPositions,
  impliedPosition,
  joinPositions,
  learnGenerations,
  lineageOf,
  noPositions,
  type Cursor,
  type Generation,
  type GenerationId,
  type Positions,
  type StoreId,
} from './generations.ts'
import {
  judgeGiven,
  judgeTransaction,
  takeTexts,
  type JudgeContext,
  type JudgedRow,
  type ScreenText,
  type TakenRow,
} from './judge.ts'
import { limits } from './limits.ts'
import { compareMarks, type Mark, type WriterId } from './mark.ts'
import type {
  FeedPart,
  FeedRow,
  HeldRow,
  LoadedSpace,
  PeerState,
  SpaceCommit,
  SpaceRecord,
} from './relay-store.ts'
import {
  countParts,
  emptyRow,
  joinRows,
  rowExists,
  type DocumentKey,
  type PartName,
  type Row,
} from './row.ts'
import type { Write } from './write.ts'

/** What the shell found out about who asks, before the space hears of the hello. */
export interface Caller {
  readonly user: string
  readonly mayWrite: boolean
  /** The application's rule; null if it lets the write pass. */
  readonly rule: (write: Write) => Failure | null
}

/** One session, as a space knows it. Numbers and small tables only. */
export interface SpaceSession {
  readonly id: number
  readonly role: 'client' | 'peer'
  readonly replica: StoreId
  readonly device: string
  readonly caller: Caller
  /** Where its pull of this feed is; `place` is sent and not yet a cut. */
  cut: number
  place: number
  /** P4: of a new replica, rows that did not exist when its walk began are not sent. 0 for others. */
  fresh: number
  /** Whether its pull has begun, and whether it is at the end of the feed, so that commits go to it at once. */
  walking: boolean
  live: boolean
  /** Bytes that may still be sent to it. */
  credit: number
  submitted: number
  round: number
  skipping: boolean
  givenCount: number
  /** A body that it gave ahead of its row and that was not taken, until the row came (SPEC X3). */
  refusedBody: { readonly key: DocumentKey; readonly error: Failure } | null
  /** Frontier entries that it was told. */
  told: Positions
  toldWriters: number
}

/** What a turn may look up: rows and writers that were loaded for it. */
export interface TurnReads {
  row(key: DocumentKey): HeldRow | undefined
  writer(id: WriterId): WriterRecord | undefined
}

export interface Delivery {
  readonly session: SpaceSession
  readonly frame: Frame
}

export interface RelaySpace {
  readonly name: string
  readonly position: number
  readonly fingerprint: Fingerprint
  readonly sessions: ReadonlySet<SpaceSession>
  readonly cursors: ReadonlyMap<StoreId, PeerState>
  readonly frontier: Positions
  readonly generations: ReadonlyMap<GenerationId, Generation>
  /** Answers a hello; the session's walk begins when its reconciling has ended. */
  hello(
    frame: HelloFrame,
    caller: Caller,
    now: number,
  ): { readonly session: SpaceSession; readonly welcome: WelcomeFrame }
  leave(session: SpaceSession): void
  /** Puts this opening's generation into the turn, if no commit has it yet: it is on disk before anybody is told of it. */
  openLineage(): void
  /** Keys and writers that must be loaded before a frame is taken in. */
  needs(frame: Frame): { readonly keys: readonly DocumentKey[]; readonly writers: readonly WriterId[] }
  submit(session: SpaceSession, frame: SubmitFrame, reads: TurnReads, now: number): void
  goOn(session: SpaceSession, frame: GoOnFrame): void
  give(session: SpaceSession, frame: GiveFrame, reads: TurnReads, now: number): void
  /** What a peer's feed brought (SPEC T3: judged by size only), and how far the pull of it is now. */
  pulled(
    session: SpaceSession,
    frame: ChangesFrame,
    peer: PeerState,
    reads: TurnReads,
    frontier: Positions,
    facts: readonly Generation[],
    texts: PulledTexts,
  ): Failure | null
  /** The turn's commit, or null if nothing changed. */
  draft(): SpaceCommit | null
  /** The draft is on disk: moves on, and says what to send. */
  committed(): readonly Delivery[]
  /** Nothing of the draft is on disk: who waited for it hears why. */
  failed(error: Failure): readonly Delivery[]
  /** One row as a session needs it after its cut; null if nothing of it is new to it. */
  changedRow(session: SpaceSession, row: FeedRow, texts: ReadonlyMap<PartName, TextPart>): ChangedRow | null
  /** The parts of a row that a session lacks; used to know which bodies to load. */
  textsToSend(session: SpaceSession, row: FeedRow): readonly PartName[]
  /** The session's pull is at the end of the feed. */
  cutFor(session: SpaceSession, fingerprint: boolean): Cut
}

export type PulledTexts = readonly {
  readonly key: DocumentKey
  readonly part: PartName
  readonly update: Uint8Array
}[]

interface Draft {
  readonly position: number
  readonly rows: Map<DocumentKey, HeldRow>
  readonly before: Map<DocumentKey, HeldRow | undefined>
  readonly texts: { key: DocumentKey; part: PartName; update: Uint8Array }[]
  readonly writers: Map<WriterId, WriterRecord>
  readonly generations: Generation[]
  peers: Map<StoreId, PeerState>
  frontier: Positions
  /** Verdicts of this turn, by session. */
  readonly answers: Map<
    SpaceSession,
    {
      exceptions: VerdictException[]
      submits: boolean
      refused: { key: DocumentKey; error: Failure }[]
      gives: boolean
    }
  >
}

/** Parts that came over a session exactly as they stand are not sent back over it (SPEC P2). */
type Origins = Map<DocumentKey, ReadonlyMap<FeedPart, number>>
const originsMax = 8192

export function createRelaySpace(
  options: {
    readonly name: string
    readonly store: StoreId
    readonly generation: GenerationId
    readonly screen: ScreenText
    readonly levels: readonly Level[]
  },
  loaded: LoadedSpace,
): RelaySpace {
  const { name, store, generation, screen } = options
  const generations = new Map(loaded.generations.map(fact => [fact.id, fact]))
  const sessions = new Set<SpaceSession>()
  let record: SpaceRecord = loaded.record ?? {
    position: 0,
    fingerprint: emptyFingerprint,
    frontier: noPositions,
    generation,
    peers: new Map(),
  }
  let opening: Generation[] = []
  if (!generations.has(generation)) {
    // A relay appends its generation to a space's lineage with the first commit or hello there.
    const parent = loaded.record?.generation ?? null
    const fact: Generation = { id: generation, store, parent, start: record.position }
    generations.set(generation, fact)
    opening = [fact]
  }
  let frontier = withOwn(record.frontier, record.position)
  let sessionCount = 0
  let origins: Origins = new Map()
  let oldOrigins: Origins = new Map()
  let turn: Draft | null = null

  function withOwn(positions: Positions, position: number): Positions {
    return addPosition(generations, positions, generation, position)
  }

  // ---------------------------------------------------------------- hello

  /** S2: the greatest cut of this lineage that a cursor or a frontier gives, whole; null if none is held here. */
  function resumeFrom(frame: HelloFrame): Cursor | null {
    let best: Cursor | null = null
    const consider = (from: GenerationId, cut: number, place: number): void => {
      const known = generations.get(from)
      if (known === undefined || known.store !== store) return
      const held = impliedPosition(generations, generation, record.position, from)
      if (cut > held) return
      if (best !== null && best.cut >= cut) return
      best = { generation, cut, place: from === generation ? Math.max(place, cut) : cut }
    }
    for (const cursor of frame.cursors) consider(cursor.generation, cursor.cut, cursor.place)
    for (const [from, cut] of frame.frontier) consider(from, cut, cut)
    return best
  }

  /** S4: between relays a cursor falls back to where both lineages agree. */
  function forkOf(frame: HelloFrame): number {
    let fork = 0
    for (const cursor of frame.cursors) {
      for (const fact of lineageOf(generations, generation)) {
        if (fact.id !== cursor.generation) continue
        const held = impliedPosition(generations, generation, record.position, fact.id)
        fork = Math.max(fork, Math.min(held, cursor.cut))
      }
    }
    return fork
  }

  function hello(frame: HelloFrame, caller: Caller, now: number): ReturnType<RelaySpace['hello']> {
    const resumed = resumeFrom(frame)
    const isNew = frame.role === 'client' && frame.empty
    const begin = resumed !== null ? 'resume' : isNew ? 'new' : frame.role === 'peer' ? 'resume' : 'join'
    const fallback = frame.role === 'peer' ? forkOf(frame) : begin === 'join' ? record.position : 0
    const cursor = resumed ?? { generation, cut: fallback, place: fallback }
    const session: SpaceSession = {
      id: ++sessionCount,
      role: frame.role,
      replica: frame.replica,
      device: frame.device,
      caller,
      cut: cursor.cut,
      place: cursor.place,
      fresh: isNew && cursor.cut === 0 ? record.position : 0,
      walking: false,
      live: false,
      credit: frame.credit === 0 ? Number.POSITIVE_INFINITY : frame.credit,
      submitted: 0,
      round: 0,
      skipping: false,
      givenCount: 0,
      refusedBody: null,
      told: frontier,
      toldWriters: cursor.cut,
    }
    sessions.add(session)
    const welcome: WelcomeFrame = {
      type: 'welcome',
      time: now,
      store,
      begin,
      cursor,
      generations: factsFor(frame),
      frontier,
      covers: coversPositions(generations, frontier, frame.reach),
      // Q4: who may only read keeps what it wrote, for a token that may write.
      levels: caller.mayWrite ? options.levels : [],
      user: caller.user,
      leader: store,
      term: 0,
    }
    return { session, welcome }
  }

  /** The lineages of all frontier entries, as far back as what the hello names. */
  function factsFor(frame: HelloFrame): readonly Generation[] {
    const known = new Set<GenerationId>([
      ...frame.cursors.map(cursor => cursor.generation),
      ...frame.frontier.keys(),
      ...frame.reach.keys(),
    ])
    const facts = new Map<GenerationId, Generation>()
    for (const tip of [generation, ...frontier.keys()]) {
      for (const fact of lineageOf(generations, tip).slice(0, limits.lineageMax)) {
        facts.set(fact.id, fact)
        if (known.has(fact.id)) break
      }
    }
    return [...facts.values()]
  }

  // ---------------------------------------------------------------- a turn

  function begin(): Draft {
    turn ??= {
      position: record.position + 1,
      rows: new Map(),
      before: new Map(),
      texts: [],
      writers: new Map(),
      generations: opening,
      peers: new Map(record.peers),
      frontier,
      answers: new Map(),
    }
    return turn
  }

  function answerOf(session: SpaceSession): ReturnType<Draft['answers']['get']> & object {
    const { answers } = begin()
    let answer = answers.get(session)
    if (answer === undefined) {
      answer = { exceptions: [], submits: false, refused: [], gives: false }
      answers.set(session, answer)
    }
    return answer
  }

  function lookUp(draft: Draft, reads: TurnReads): (key: DocumentKey) => HeldRow | undefined {
    return key => draft.rows.get(key) ?? reads.row(key)
  }

  function judgeContext(session: SpaceSession, draft: Draft, reads: TurnReads, now: number): JudgeContext {
    const row = lookUp(draft, reads)
    return {
      row: (key): JudgedRow | undefined => row(key),
      writer: id => draft.writers.get(id) ?? reads.writer(id),
      user: session.caller.user,
      now,
      screen,
      rule: session.caller.rule,
    }
  }

  function submit(session: SpaceSession, frame: SubmitFrame, reads: TurnReads, now: number): void {
    const draft = begin()
    const answer = answerOf(session)
    answer.submits = true
    const context = judgeContext(session, draft, reads, now)
    for (const transaction of frame.transactions) {
      const index = session.submitted++
      // L3: what follows a refusal is skipped until the client says from where to go on; late frames are told by their round.
      if (session.skipping || frame.round !== session.round) {
        answer.exceptions.push({ index, kind: 'skipped' })
        continue
      }
      const judgement = session.caller.mayWrite
        ? judgeTransaction(transaction, context)
        : ({
            kind: 'refused',
            write: 0,
            error: failure('not-permitted', { reason: 'this token may not write here' }),
          } as const)
      if (judgement.kind === 'refused') {
        session.skipping = true
        answer.exceptions.push({ index, kind: 'refused', write: judgement.write, error: judgement.error })
        continue
      }
      for (const [key, taken] of judgement.rows) take(draft, reads, key, taken, transaction.writes, session)
      for (const { mark } of transaction.writes) remember(draft, reads, session, mark, now)
      judgement.shows.forEach((shows, write) => {
        if (shows !== 'yes') answer.exceptions.push({ index, kind: shows, write })
      })
    }
  }

  /** T4: raised by the writer's own submits, never beyond now + 5 minutes. */
  function remember(draft: Draft, reads: TurnReads, session: SpaceSession, mark: Mark, now: number): void {
    const held = draft.writers.get(mark.writer) ?? reads.writer(mark.writer)
    const ms = Math.min(mark.ms, Math.floor(now) + limits.skewMs)
    const highest: Mark = ms === mark.ms ? mark : { ms, tick: 0, writer: mark.writer }
    if (held !== undefined && compareMarks(held.highest, highest) >= 0) return
    const { user, device } = held ?? { user: session.caller.user, device: session.device }
    draft.writers.set(mark.writer, { writer: mark.writer, user, device, highest })
  }

  function take(
    draft: Draft,
    reads: TurnReads,
    key: DocumentKey,
    taken: TakenRow,
    brought: readonly { readonly key: DocumentKey; readonly delta: Row }[],
    session: SpaceSession,
  ): void {
    const before = lookUp(draft, reads)(key)
    if (before?.row === taken.row && taken.updates.length === 0) return
    if (!draft.before.has(key)) draft.before.set(key, before)
    const positions = new Map(before?.positions ?? [])
    const from = new Map(originsOf(key))
    const delta = brought
      .filter(write => write.key === key)
      .map(write => write.delta)
      .reduce(joinRows, emptyRow)
    for (const part of changedParts(before?.row, taken.row)) {
      positions.set(part, draft.position)
      if (isSamePart(taken.row, delta, part)) from.set(part, session.id)
      else from.delete(part)
    }
    // A body may grow although its cell stands, when the cell came before it.
    for (const { part } of taken.updates) positions.set(part, draft.position)
    noteOrigins(key, from)
    draft.rows.set(key, { row: taken.row, position: draft.position, positions, texts: taken.texts })
    for (const { part, update } of taken.updates) draft.texts.push({ key, part, update })
  }

  function give(session: SpaceSession, frame: GiveFrame, reads: TurnReads, now: number): void {
    const draft = begin()
    const answer = answerOf(session)
    answer.gives = true
    const context = judgeContext(session, draft, reads, now)
    for (const given of frame.rows) {
      session.givenCount += 1
      const judged = judgeGive(session, given, context)
      if (judged.ok)
        take(draft, reads, given.key, judged.value, [{ key: given.key, delta: given.row }], session)
      else answer.refused.push({ key: given.key, error: judged.error })
      if (countParts(given.row) > 0) session.refusedBody = null
      else if (!judged.ok) session.refusedBody = { key: given.key, error: judged.error }
    }
  }

  /** X3: a long body comes ahead of its row, which says that it is there; so it is refused with what was refused of it. */
  function judgeGive(
    session: SpaceSession,
    given: GiveFrame['rows'][number],
    context: JudgeContext,
  ): ReturnType<typeof judgeGiven> {
    const { caller, refusedBody } = session
    if (refusedBody?.key === given.key) return { ok: false, error: refusedBody.error }
    if (caller.mayWrite) return judgeGiven(given, context)
    return { ok: false, error: failure('not-permitted', { reason: 'this token may not write here' }) }
  }

  function pulled(
    session: SpaceSession,
    frame: ChangesFrame,
    peer: PeerState,
    reads: TurnReads,
    joined: Positions,
    facts: readonly Generation[],
    texts: PulledTexts,
  ): Failure | null {
    const draft = begin()
    for (const { key, delta, texts: parts } of frame.rows) {
      const tails = [...parts].flatMap(([part, text]) =>
        text.kind === 'tail' ? text.updates.map(update => ({ key, part, update })) : [],
      )
      const error = joinPulled(draft, reads, session, key, delta, tails)
      if (error !== null) return error
    }
    for (const text of texts) {
      const error = joinPulled(draft, reads, session, text.key, emptyRow, [text])
      if (error !== null) return error
    }
    for (const writer of frame.writers) {
      const held = draft.writers.get(writer.writer) ?? reads.writer(writer.writer)
      if (held === undefined) draft.writers.set(writer.writer, writer)
      else if (compareMarks(writer.highest, held.highest) > 0)
        draft.writers.set(writer.writer, { ...held, highest: writer.highest })
    }
    draft.generations.push(...learnGenerations(generations, facts))
    draft.peers.set(session.replica, peer)
    draft.frontier = joinPositions(generations, draft.frontier, joined)
    return null
  }

  function joinPulled(
    draft: Draft,
    reads: TurnReads,
    session: SpaceSession,
    key: DocumentKey,
    delta: Row,
    updates: PulledTexts,
  ): Failure | null {
    const before = lookUp(draft, reads)(key)
    const row = joinRows(before?.row ?? emptyRow, delta)
    if (row === emptyRow) return null
    const texts = new Map<PartName, readonly Uint8Array[]>()
    for (const { part, update } of updates) texts.set(part, [...(texts.get(part) ?? []), update])
    const taken = takeTexts(row, texts, before, [], { client: 0, ownership: false }, screen)
    if (!taken.ok) return taken.error
    take(draft, reads, key, taken.value, [{ key, delta }], session)
    return null
  }

  // ---------------------------------------------------------------- commit

  function draft(): SpaceCommit | null {
    if (turn === null) return null
    const { rows, before, texts, writers, position } = turn
    const peersMoved = [...turn.peers].some(([id, peer]) => record.peers.get(id) !== peer)
    if (
      rows.size === 0 &&
      writers.size === 0 &&
      !peersMoved &&
      turn.frontier === frontier &&
      turn.generations.length === 0
    )
      return null
    let fingerprint = record.fingerprint
    for (const [key, held] of rows)
      fingerprint = replaceInFingerprint(fingerprint, before.get(key)?.row, held.row)
    const next = rows.size > 0 ? position : record.position
    const joined =
      rows.size > 0 ? addPosition(generations, turn.frontier, generation, position) : turn.frontier
    nextRecord = { position: next, fingerprint, frontier: joined, generation, peers: turn.peers }
    return {
      space: name,
      record: nextRecord,
      rows,
      texts,
      writers: [...writers.values()],
      generations: turn.generations,
    }
  }
  let nextRecord: SpaceRecord = record

  function committed(): readonly Delivery[] {
    if (turn === null) return []
    const done = turn
    turn = null
    opening = []
    const moved = nextRecord.position > record.position
    const frontierGrew = nextRecord.frontier !== record.frontier
    record = nextRecord
    frontier = withOwn(record.frontier, record.position)
    const deliveries = answers(done, moved)
    if (moved || frontierGrew) deliveries.push(...forward(done, moved))
    return deliveries
  }

  function answers(done: Draft, moved: boolean): Delivery[] {
    const deliveries: Delivery[] = []
    for (const [session, { exceptions, submits, refused, gives }] of done.answers) {
      const answer = { generation, position: record.position }
      if (submits) {
        const alone = moved && session.live && changesFor(done, session).length === 0 && !hasNews(done)
        if (alone) advance(session)
        deliveries.push({
          session,
          frame: { type: 'verdict', count: session.submitted, ...answer, cut: alone, exceptions },
        })
      }
      if (gives)
        deliveries.push({ session, frame: { type: 'given', count: session.givenCount, ...answer, refused } })
    }
    return deliveries
  }

  /** Whether a commit has something for everybody beside rows: the frontier's entries of other relays. */
  function hasNews(done: Draft): boolean {
    return done.generations.length > 0 || done.peers.size > 0
  }

  function advance(session: SpaceSession): void {
    session.cut = session.place = record.position
    session.told = frontier
  }

  /** F2: one frame for all whose pull was at the cut before; for the origin, one without what it brought. */
  function forward(done: Draft, moved: boolean): Delivery[] {
    const deliveries: Delivery[] = []
    const shared = new Map<string, { rows: readonly ChangedRow[]; frame: ChangesFrame }>()
    for (const session of sessions) {
      if (!session.live || (session.place === record.position && moved)) continue
      const writers = session.role === 'peer' ? [...done.writers.values()] : []
      const isOrigin = done.answers.has(session) || session.role === 'peer'
      const kind = isOrigin ? `own ${session.id}` : session.role
      let made = shared.get(kind)
      if (made === undefined) {
        const rows = changesFor(done, session)
        const frame: ChangesFrame = {
          type: 'changes',
          rows,
          place: record.position,
          head: record.position,
          cut: cutFor(session, false),
          answer: false,
          writers,
        }
        made = { rows, frame }
        shared.set(kind, made)
      }
      advance(session)
      session.toldWriters = record.position
      deliveries.push({ session, frame: made.frame })
    }
    return deliveries
  }

  function changesFor(done: Draft, session: SpaceSession): readonly ChangedRow[] {
    const rows: ChangedRow[] = []
    for (const [key, held] of done.rows) {
      const texts = new Map<PartName, TextPart>()
      for (const { key: of, part, update } of done.texts) {
        if (of !== key) continue
        const tail = texts.get(part)
        texts.set(part, { kind: 'tail', updates: [...(tail?.kind === 'tail' ? tail.updates : []), update] })
      }
      const changed = select(session, key, held, done.position - 1, texts)
      if (changed !== null) rows.push(changed)
    }
    return rows
  }

  /** P2: of a row, every part that changed after a cut, but what came over this very session. */
  function select(
    session: SpaceSession,
    key: DocumentKey,
    held: HeldRow,
    after: number,
    texts: ReadonlyMap<PartName, TextPart>,
  ): ChangedRow | null {
    const from = originsOf(key)
    const cells = new Map<PartName, NonNullable<ReturnType<Row['cells']['get']>>>()
    const bodies = new Map<PartName, TextPart>()
    const isNews = (part: FeedPart): boolean =>
      (held.positions.get(part) ?? 0) > after && from?.get(part) !== session.id
    for (const [part, cell] of held.row.cells) {
      if (!isNews(part)) continue
      cells.set(part, cell)
      const body = texts.get(part)
      if (body !== undefined) bodies.set(part, body)
    }
    const deletion = isNews('deletion') ? held.row.deletion : null
    const revival = isNews('revival') ? held.row.revival : null
    const delta: Row = { cells, deletion, revival }
    const sent = countParts(delta)
    if (sent === 0) return null
    const all = countParts(held.row)
    return { key, delta, parts: sent === all ? 0 : all, texts: bodies }
  }

  function cutFor(session: SpaceSession, fingerprint: boolean): Cut {
    const news = new Map(
      [...frontier].filter(([id, position]) => id !== generation && session.told.get(id) !== position),
    )
    const facts = [...news.keys()].flatMap(id => lineageOf(generations, id).slice(0, 4))
    return {
      generation,
      position: record.position,
      frontier: news,
      generations: facts,
      fingerprint: fingerprint ? record.fingerprint : null,
    }
  }

  function originsOf(key: DocumentKey): ReadonlyMap<FeedPart, number> | undefined {
    return origins.get(key) ?? oldOrigins.get(key)
  }

  function noteOrigins(key: DocumentKey, from: ReadonlyMap<FeedPart, number>): void {
    origins.set(key, from)
    if (origins.size < originsMax) return
    oldOrigins = origins
    origins = new Map()
  }

  return {
    name,
    get position() {
      return record.position
    },
    get fingerprint() {
      return record.fingerprint
    },
    get cursors() {
      return record.peers
    },
    get frontier() {
      return frontier
    },
    generations,
    sessions,
    hello,
    leave: session => void sessions.delete(session),
    openLineage: () => {
      if (opening.length > 0) begin()
    },
    needs(frame) {
      const keys = new Set<DocumentKey>()
      const writers = new Set<WriterId>()
      if (frame.type === 'submit') {
        for (const { writes } of frame.transactions) {
          for (const write of writes) {
            keys.add(write.key)
            writers.add(write.mark.writer)
            for (const mark of namedMarks(write)) writers.add(mark.writer)
          }
        }
      } else if (frame.type === 'give') {
        for (const { key } of frame.rows) keys.add(key)
      } else if (frame.type === 'changes') {
        for (const { key } of frame.rows) keys.add(key)
        for (const { writer } of frame.writers) writers.add(writer)
      } else if (frame.type === 'text') {
        keys.add(frame.key)
      }
      return { keys: [...keys], writers: [...writers] }
    },
    submit,
    goOn(session, frame) {
      session.round = frame.round
      session.skipping = false
    },
    give,
    pulled,
    draft,
    committed,
    failed(error) {
      if (turn === null) return []
      const { answers: waiting } = turn
      // Facts stay true; the next commit brings them.
      opening = turn.generations
      turn = null
      return [...waiting.keys()].map(session => ({ session, frame: { type: 'refuse', error } }))
    },
    changedRow(session, { key, held }, texts) {
      if (session.fresh > 0 && session.cut === 0 && held.position <= session.fresh && !rowExists(held.row))
        return null
      return select(session, key, held, session.cut, texts)
    },
    textsToSend(session, { key, held }) {
      const from = originsOf(key)
      return [...held.texts.keys()].filter(
        part => (held.positions.get(part) ?? 0) > session.cut && from?.get(part) !== session.id,
      )
    },
    cutFor,
  }
}

function changedParts(before: Row | undefined, after: Row): readonly FeedPart[] {
  const parts: FeedPart[] = []
  for (const [name, cell] of after.cells) if (before?.cells.get(name) !== cell) parts.push(name)
  if (after.deletion !== (before?.deletion ?? null)) parts.push('deletion')
  if (after.revival !== (before?.revival ?? null)) parts.push('revival')
  return parts
}

/** Whether a part stands exactly as it came: joining it back would bring nothing that who sent it lacks. */
function isSamePart(row: Row, delta: Row, part: FeedPart): boolean {
  if (part === 'deletion')
    return isSameRow({ ...emptyRow, deletion: row.deletion }, { ...emptyRow, deletion: delta.deletion })
  if (part === 'revival') return row.revival === delta.revival
  const cell = row.cells.get(part)
  const came = delta.cells.get(part)
  if (cell === undefined || came === undefined) return false
  return isSameRow(
    { ...emptyRow, cells: new Map([[part, cell]]) },
    { ...emptyRow, cells: new Map([[part, came]]) },
  )
}

function isSameRow(a: Row, b: Row): boolean {
  return joinRows(a, b) === a && joinRows(b, a) === b
}

function* namedMarks(write: Write): Iterable<Mark> {
  for (const cell of write.delta.cells.values()) {
    if (cell.strategy === 'ask' || cell.strategy === 'text') yield* cell.context.values()
    if (cell.strategy === 'set') {
      yield* cell.context.values()
      for (const { removed } of cell.elements.values()) if (removed !== null) yield removed
    }
  }
  for (const seen of write.delta.deletion?.seen.values() ?? []) {
    if (seen.kind === 'last') yield seen.mark
    if (seen.kind === 'context') yield* seen.context.values()
  }
  yield* write.replaced.values()
}
