/**
 * Drives one space: gathers what came, loads what it touches, lets the space take it in, commits, and only then
 * says so (SPEC A1). While a commit is under way the next turn's frames gather: a group commit by itself.
 *
 *   queue --> load --> take in --> commit (on disk) --> verdicts, changes --> pages for who lags --> queue
 */
import {
  bytesFor,
  countParts,
  createFrameEncoder,
  createKnownNames,
  createPeerPull,
  createRelaySpace,
  encodeFrame,
  failure,
  protocolVersion,
  rangesRise,
  type Caller,
  type Delivery,
  type DocumentKey,
  type EncodedFrame,
  type Failure,
  type Frame,
  type FrameEncoder,
  type HeldRow,
  type HelloFrame,
  type Lead,
  type PassedFrame,
  type PeerPull,
  type SpaceCommit,
  type WantFrame,
  type WelcomeFrame,
  type WriterId,
  type WriterRecord,
} from '@rejoin/core'
import { screenUpdate } from '@rejoin/resolve/screen'
import { closeCodeOf, closeCodes } from '../close-code.ts'
import type { KernelOptions, SessionLink } from '../kernel-port.ts'
import { hasRoom, isWritable, send, sendBytes, type Attached } from './attached.ts'
import { createComparing } from './comparing.ts'
import { createFolding } from './folding.ts'
import { withoutKnownTexts } from './known-texts.ts'
import { answerWant, sendPage } from './pages.ts'
import { createPassedSessions } from './passed-sessions.ts'
import { createPassingOn, isJudged, type PassingOn } from './passing-on.ts'
import { createQuorum } from './quorum.ts'
import { answerRange } from './ranges.ts'

export interface SpaceDriver {
  /** `welcomed`: of a peer that this relay dialled, what it answered. */
  attach(
    link: SessionLink,
    hello: HelloFrame,
    caller: Caller,
    welcomed: WelcomeFrame | null,
  ): Promise<Attached>
  /** What this relay says to a peer that it dials. */
  helloToPeer(token: string): HelloFrame
  receive(attached: Attached, frame: Frame): void
  detach(attached: Attached): void
  /** Somebody has room again. */
  wake(): void
  heartbeat(): void
  isIdle(): boolean
  /** Resolves when everything received so far is answered. */
  settled(): Promise<void>
}

type Job =
  | { readonly kind: 'frame'; readonly attached: Attached; readonly frame: Frame }
  | { readonly kind: 'attach'; readonly run: () => void; readonly fail: (error: unknown) => void }
  | { readonly kind: 'apart'; readonly run: () => Promise<void> }

/** Frames taken into one turn at most: it bounds what is decoded at once, and how long the first waits. */
const turnFramesMax = 512
/** Rows, bodies and writers that a session may have asked for and not been sent. */
const askedMax = 262_144

export async function openSpaceDriver(
  name: string,
  options: KernelOptions,
  /** What a user may do here. */
  admit: (user: string) => Promise<Caller | Failure>,
  onEmpty: () => void,
): Promise<SpaceDriver> {
  const { store, runtime, log, follows = false, ackReplicas = 0 } = options
  const lead: Lead = {
    leader: follows ? null : store.id,
    levels: ackReplicas > 0 ? ['relay', 'quorum'] : ['relay'],
  }
  const loadSpace = async (): Promise<ReturnType<typeof createRelaySpace>> =>
    createRelaySpace(
      { name, store: store.id, generation: store.generation, screen: screenUpdate, lead },
      await store.loadSpace(name),
    )
  const space = await loadSpace()
  const comparing = createComparing(space, store.generation, log)
  // What a follower has is its leader's to count.
  const quorum = createQuorum(space, store.generation, follows ? 0 : ackReplicas)
  const folding = createFolding(name, options, betweenTurns, () => {
    if (attachedBySession.size === 0) onEmpty()
  })
  const passedSessions = createPassedSessions({
    space: name,
    admit,
    attach: (link, hello, caller, follower) => attach(link, hello, caller, null, follower),
    receive,
    detach,
    fail: unpassable,
  })
  const passingOn = follows
    ? createPassingOn({ space, generation: store.generation, refuse, sendAway })
    : null
  /** Of what is told as it happens, to all clients in the same names. Made at the first change: idle spaces are many. */
  let encoder: FrameEncoder | null = null
  let leader: Attached | null = null
  const attachedBySession = new Map<unknown, Attached>()
  let queue: Job[] = []
  let running: Promise<void> | null = null
  /** Why commits fail at present. */
  let fault: string | null = null

  function start(): void {
    running ??= run().finally(() => {
      running = null
      if (queue.length > 0) start()
    })
  }

  async function run(): Promise<void> {
    // What comes in this tick is one turn.
    await Promise.resolve()
    for (;;) {
      const jobs = queue.slice(0, turnFramesMax)
      queue = queue.slice(turnFramesMax)
      if (jobs.length > 0) await takeTurn(jobs)
      const progressed = await sendPages()
      if (queue.length === 0 && !progressed) return
    }
  }

  async function takeTurn(jobs: readonly Job[]): Promise<void> {
    const frames = jobs.filter(job => job.kind === 'frame').filter(job => job.attached.open)
    const arrivals = jobs.filter(job => job.kind === 'attach')
    let deliveries: readonly Delivery[] = []
    try {
      const reads = await load(frames.map(({ frame }) => frame))
      for (const { attached, frame } of frames) {
        const isPulled = attached.pull !== null && frame.type === 'changes'
        const news = isPulled ? await withoutKnownTexts(name, store, frame, reads.rows) : frame
        takeIn(attached, news, reads)
      }
      if (quorum.count(attachedBySession.values())) tellQuorum()
      if (arrivals.length > 0) space.openLineage()
      const draft = space.draft()
      if (draft !== null) await commit(draft)
      deliveries = space.committed()
      comparing.settle(true)
    } catch (error) {
      dropTurn(frames, error)
      // Who arrived is told of a generation that is on disk, or of none; whether it is does not hang on what others brought.
      if (frames.length > 0) queue.unshift(...arrivals)
      else for (const { fail } of arrivals) fail(error)
      arrivals.length = 0
    }
    // It is on disk: who cannot be told of it begins again, and nobody hears that it failed.
    deliver(deliveries)
    for (const { attached, frame } of frames) {
      // What only brings has its answer in the turn.
      if (!attached.open || frame.type === 'submit') continue
      try {
        await answer(attached, frame)
      } catch (error) {
        unreadable(attached, error)
      }
    }
    for (const { run, fail } of arrivals) {
      try {
        run()
      } catch (error) {
        fail(error)
      }
    }
    for (const { run } of jobs.filter(job => job.kind === 'apart')) await run()
  }

  /** Runs it as a part of a turn: no commit is under way, and no row is judged by what was loaded before. */
  function betweenTurns(run: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      queue.push({ kind: 'apart', run: () => run().then(resolve, reject) })
      start()
    })
  }

  async function commit(draft: SpaceCommit): Promise<void> {
    await store.commit(draft)
    folding.grew(draft.texts)
    if (fault !== null) log.info({ space: name }, 'commits are on disk again')
    fault = null
  }

  /** Nothing of it is on disk: whoever brought a part of it, clients and peers, begins again from what is. */
  function dropTurn(
    frames: readonly { readonly attached: Attached; readonly frame: Frame }[],
    error: unknown,
  ): void {
    comparing.settle(false)
    // Those who are refused come back; a disk that stays full is told once.
    if (String(error) !== fault) {
      fault = String(error)
      log.error({ space: name, error: fault }, 'a commit failed; nothing of it was acknowledged')
    }
    space.failed()
    for (const { attached, frame } of frames)
      if (bringing.has(frame.type)) refuse(attached, failure('overloaded', { retryAfterMs: 1000 }))
  }

  interface Reads {
    readonly rows: ReadonlyMap<DocumentKey, HeldRow>
    readonly writers: ReadonlyMap<WriterId, WriterRecord>
  }

  async function load(frames: readonly Frame[]): Promise<Reads> {
    const keys = new Set<DocumentKey>()
    const writers = new Set<WriterId>()
    for (const frame of frames) {
      const needs = space.needs(frame)
      for (const key of needs.keys) keys.add(key)
      for (const writer of needs.writers) writers.add(writer)
    }
    const rows = keys.size === 0 ? new Map() : await store.rows(name, [...keys])
    const records = writers.size === 0 ? [] : await store.writers(name, [...writers])
    return { rows, writers: new Map(records.map(record => [record.writer, record])) }
  }

  /** What changes the space. */
  function takeIn(attached: Attached, frame: Frame, { rows, writers }: Reads): void {
    const reads = { row: (key: DocumentKey) => rows.get(key), writer: (id: WriterId) => writers.get(id) }
    const { session, pull } = attached
    switch (frame.type) {
      case 'submit':
        return space.submit(session, frame, reads, runtime.now())
      case 'go-on':
        return space.goOn(session, frame)
      case 'give':
        return space.give(session, frame, reads, runtime.now())
      case 'changes':
      case 'text': {
        if (pull === null)
          return refuse(attached, failure('malformed-frame', { reason: `${frame.type} from a client` }))
        const turn = frame.type === 'text' ? pull.text(frame) : pull.changes(frame, reads.row)
        const error = space.pulled(session, turn, reads, runtime.now())
        if (error !== null) return refuse(attached, error)
        if (turn.want !== null) send(attached, turn.want)
        const expected = turn.cut?.fingerprint ?? null
        if (expected !== null) comparing.note(attached, pull, expected)
      }
    }
  }

  /** What only asks, answered from what is committed. */
  async function answer(attached: Attached, frame: Frame): Promise<void> {
    switch (frame.type) {
      case 'want':
        return ask(attached, frame)
      case 'range':
        if (!rangesRise(frame.ranges))
          return refuse(attached, failure('malformed-frame', { reason: 'ranges that do not rise' }))
        if (frame.ranges.length === 0) tellGiven(attached)
        return answerRange(space, store, attached, frame)
      case 'give':
        // A long body comes ahead of its row, which counts.
        attached.given += frame.rows.filter(({ row }) => countParts(row) > 0).length
        return
      case 'go-on':
        return tellGiven(attached)
      case 'credit':
        attached.session.credit += frame.bytes
        return
      case 'heartbeat':
        if (attached.session.live) sendCut(attached)
        return
      case 'welcome':
        if (attached.pull !== null) beginPull(attached, attached.pull, frame)
        return
      case 'hello':
      case 'presence':
      case 'verdict':
      case 'given':
      case 'refuse':
      case 'bye':
        return
      default:
    }
  }

  function ask(attached: Attached, frame: WantFrame): void {
    const things = frame.keys.length + frame.texts.length + frame.writers.length
    attached.asked += things
    if (attached.asked > askedMax) return refuse(attached, failure('overloaded', { retryAfterMs: 1000 }))
    attached.answers.push({ frames: answerWant(space, store, attached, frame), things })
  }

  /** One frame of what it asked for. */
  async function sendAnswer(attached: Attached): Promise<void> {
    const [first] = attached.answers
    if (first === undefined || (await first.frames.next()).done !== true) return
    attached.answers.shift()
    attached.asked -= first.things
  }

  function unreadable(attached: Attached, error: unknown): void {
    log.error({ space: name, error: String(error) }, 'what a session asked for could not be read')
    refuse(attached, failure('overloaded', { retryAfterMs: 1000 }))
  }

  function unpassable(follower: Attached, error: string): void {
    log.error({ space: name, error }, 'what a follower passed on could not be taken in')
    refuse(follower, failure('overloaded', { retryAfterMs: 1000 }))
  }

  /** T2: what clients give back is counted, and told once it has ended. */
  function tellGiven(attached: Attached): void {
    const { session, given: rows, givenRefused: refused } = attached
    if (rows === 0) return
    attached.given = attached.givenRefused = 0
    const { replica, device, caller } = session
    log.info({ space: name, replica, device, user: caller.user, rows, refused }, 'a client gave back rows')
  }

  /** Where the feed ends now, and what must hold there. */
  function sendCut(attached: Attached): void {
    const cut = space.cutFor(attached.session, true)
    attached.session.told = space.frontier
    send(attached, { ...emptyChanges, place: space.position, head: space.position, cut })
  }

  /** F2: what goes to many is encoded once. */
  function deliver(deliveries: readonly Delivery[]): void {
    const encoded = new Map<Frame, EncodedFrame>()
    const alone = new Map<Frame, Uint8Array>()
    for (const { session, frame } of deliveries) {
      const attached = attachedBySession.get(session)
      if (attached === undefined) continue
      if (frame.type === 'given') attached.givenRefused += new Set(frame.refused.map(({ key }) => key)).size
      try {
        // What relays say to each other, or pass on, stands by itself.
        if (session.role === 'peer' || attached.follower !== null)
          sendBytes(attached, once(alone, frame, encodeFrame))
        else sendBytes(attached, bytesFor(once(encoded, frame, encodeLive), attached.known))
      } catch (error) {
        log.error({ space: name, error: String(error) }, 'what is on disk could not be told to a session')
        refuse(attached, failure('overloaded', { retryAfterMs: 1000 }))
        continue
      }
      // F1: who does not keep up is sent pages from its place, when it has room again.
      if (!hasRoom(attached)) session.live = false
    }
  }

  function encodeLive(frame: Frame): EncodedFrame {
    encoder ??= createFrameEncoder(runtime.now)
    return encoder.encode(frame)
  }

  async function sendPages(): Promise<boolean> {
    let progressed = false
    for (const attached of attachedBySession.values()) {
      if (queue.length > 0) return true
      const { session, answers } = attached
      try {
        if (answers.length > 0) {
          if (!isWritable(attached)) continue
          await sendAnswer(attached)
        } else {
          if (!session.walking || session.live || !hasRoom(attached)) continue
          await sendPage(space, store, attached)
        }
        progressed = true
      } catch (error) {
        unreadable(attached, error)
      }
    }
    return progressed
  }

  function helloToPeer(token: string): HelloFrame {
    return {
      type: 'hello',
      protocol: protocolVersion,
      space: name,
      token,
      replica: store.id,
      device: 'relay',
      role: 'peer',
      cursors: [...space.cursors.values()].map(peer => peer.cursor),
      empty: false,
      frontier: space.frontier,
      reach: space.frontier,
      level: 'relay',
      credit: 0,
    }
  }

  /** Peers pull from each other over one link: who was dialled says hello too, who dialled has its welcome already. */
  function greetBack(
    attached: Attached,
    pull: PeerPull,
    hello: HelloFrame,
    welcomed: WelcomeFrame | null,
  ): void {
    if (welcomed === null) return void send(attached, helloToPeer(hello.token))
    beginPull(attached, pull, welcomed)
  }

  function beginPull(attached: Attached, pull: PeerPull, welcome: WelcomeFrame): void {
    pull.welcome(welcome)
    const keys = space.cursors.get(welcome.store)?.wants ?? []
    if (keys.length > 0) send(attached, { type: 'want', keys, texts: [], writers: [] })
    send(attached, { type: 'range', ranges: [] })
  }

  /** A3: who waits for it hears it at once, everybody else with a heartbeat. */
  function tellQuorum(): void {
    for (const attached of attachedBySession.values()) if (attached.awaitsQuorum) tellQuorumTo(attached)
  }

  function tellQuorumTo(attached: Attached): void {
    const { frame } = quorum
    if (frame === null || attached.quorum === frame || attached.follower !== null) return
    attached.quorum = frame
    send(attached, frame)
  }

  function receive(attached: Attached, frame: Frame): void {
    if (!attached.open) return
    if (frame.type === 'submit') attached.awaitsQuorum = true
    if (frame.type === 'passed') return receivePassed(attached, frame)
    if (frame.type === 'quorum') {
      if (attached === leader && quorum.hear(frame)) tellQuorum()
      return
    }
    // Q2: it is the leader's to judge.
    if (passingOn !== null && attached.pull === null && isJudged(frame))
      return passingOn.pass(attached, frame)
    queue.push({ kind: 'frame', attached, frame })
    start()
  }

  function receivePassed(attached: Attached, frame: PassedFrame): void {
    if (attached === leader) return passingOn?.answered(frame)
    if (attached.pull !== null) return passedSessions.receive(attached, frame)
    refuse(attached, failure('malformed-frame', { reason: 'only relays pass on' }))
  }

  function sendAway(attached: Attached, retryAfterMs: number): void {
    send(attached, { type: 'bye', retryAfterMs })
    attached.link.close(closeCodes.draining, 'begin again')
    detach(attached)
  }

  function refuse(attached: Attached, error: Failure): void {
    send(attached, { type: 'refuse', error })
    attached.link.close(closeCodeOf(error.code), error.code)
    detach(attached)
  }

  function detach(attached: Attached): void {
    if (!attached.open) return
    attached.open = false
    tellGiven(attached)
    space.leave(attached.session)
    attachedBySession.delete(attached.session)
    if (attached === leader) leader = null
    passingOn?.left(attached)
    passedSessions.left(attached)
    if (attachedBySession.size === 0) onEmpty()
  }

  function follow(passing: PassingOn, attached: Attached, { leader: judge, levels }: WelcomeFrame): void {
    leader = attached
    space.lead = { leader: judge, levels }
    passing.found(attached)
    // Who follows this relay learns who judges when it dials again.
    for (const one of attachedBySession.values())
      if (one.pull !== null && one !== attached && one.leader !== judge) sendAway(one, 0)
  }

  function attach(
    link: SessionLink,
    hello: HelloFrame,
    caller: Caller,
    welcomed: WelcomeFrame | null,
    follower: Attached | null,
  ): Promise<Attached> {
    return new Promise((resolve, fail) => {
      const run = (): void => {
        const { session, welcome } = space.hello(hello, caller, runtime.now())
        const pull = hello.role === 'peer' ? createPeerPull(space.cursors.get(hello.replica) ?? null) : null
        const attached: Attached = {
          link,
          session,
          pull,
          index: null,
          answers: [],
          asked: 0,
          given: 0,
          givenRefused: 0,
          leader: welcome.leader,
          follower,
          awaitsQuorum: hello.role === 'peer' || hello.level === 'quorum',
          quorum: null,
          known: createKnownNames(),
          open: true,
        }
        attachedBySession.set(session, attached)
        send(attached, welcome)
        if (pull !== null) greetBack(attached, pull, hello, welcomed)
        tellQuorumTo(attached)
        if (passingOn !== null && welcomed !== null) follow(passingOn, attached, welcomed)
        if (!welcome.covers || welcome.begin === 'join') {
          log.info(
            { space: name, replica: hello.replica, begin: welcome.begin },
            'a replica holds more than this relay',
          )
        }
        resolve(attached)
      }
      queue.push({ kind: 'attach', run, fail })
      start()
    })
  }

  return {
    attach: (link, hello, caller, welcomed) => attach(link, hello, caller, welcomed, null),
    helloToPeer,
    receive,
    detach,
    wake: start,
    heartbeat() {
      const bytes = encodeFrame({ type: 'heartbeat', position: space.position, time: runtime.now() })
      for (const attached of attachedBySession.values()) {
        // What is passed on has its pull at the follower, which sends heartbeats of its own.
        if (attached.follower !== null) continue
        if (attached.pull !== null && attached.session.live) sendCut(attached)
        else sendBytes(attached, bytes)
        tellQuorumTo(attached)
      }
    },
    isIdle: () => attachedBySession.size === 0 && running === null && queue.length === 0 && folding.isIdle,
    async settled() {
      await folding.stop()
      while (running !== null) await running
    },
  }
}

function once<K, V>(made: Map<K, V>, key: K, make: (key: K) => V): V {
  let value = made.get(key)
  if (value === undefined) {
    value = make(key)
    made.set(key, value)
  }
  return value
}

/** Frames whose contents are to be stored, or that say where what follows them goes on. */
const bringing: ReadonlySet<Frame['type']> = new Set(['submit', 'go-on', 'give', 'changes', 'text'])

const emptyChanges = { type: 'changes', rows: [], cut: null, answer: false, writers: [] } as const
