/**
 * Drives one space: gathers what came, loads what it touches, lets the space take it in, commits, and only then
 * says so (SPEC A1). While a commit is under way the next turn's frames gather: a group commit by itself.
 *
 *   queue --> load --> take in --> commit (on disk) --> verdicts, changes --> pages for who lags --> queue
 */
import {
  createRelaySpace,
  failure,
  type Caller,
  type Delivery,
  type DocumentKey,
  type Failure,
  type Frame,
  type HeldRow,
  type HelloFrame,
  type Lead,
  type PassedFrame,
  type SpaceCommit,
  type WelcomeFrame,
  type WriterId,
  type WriterRecord,
} from '@rejoin/core'
import { screenUpdate } from '@rejoin/resolve/screen'
import { closeCodeOf, closeCodes } from '../close-code.ts'
import type { KernelOptions } from '../kernel-port.ts'
import { createAnswering } from './answering.ts'
import { send, type Attached } from './attached.ts'
import { createComparing } from './comparing.ts'
import { createDelivering } from './delivering.ts'
import { createFolding } from './folding.ts'
import { createGreeting, type Arrival } from './greeting.ts'
import type { KeptPages } from './kept-pages.ts'
import { withoutKnownTexts } from './known-texts.ts'
import { createPassedSessions } from './passed-sessions.ts'
import { createPassingOn, isJudged, type PassingOn } from './passing-on.ts'
import { createQuorum } from './quorum.ts'

export interface SpaceDriver {
  attach(arrival: Arrival): Promise<Attached>
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

export async function openSpaceDriver(
  name: string,
  options: KernelOptions & { readonly kept: KeptPages },
  /** What a user may do here. */
  admit: (user: string) => Promise<Caller | Failure>,
  onEmpty: () => void,
): Promise<SpaceDriver> {
  const { store, runtime, log, kept, follows = false, ackReplicas = 0 } = options
  const lead: Lead = {
    leader: follows ? null : store.id,
    levels: ackReplicas > 0 ? ['relay', 'quorum'] : ['relay'],
  }
  const space = createRelaySpace(
    { name, store: store.id, generation: store.generation, screen: screenUpdate, lead },
    await store.loadSpace(name),
  )
  const comparing = createComparing(space, store.generation, log)
  // What a follower has is its leader's to count.
  const quorum = createQuorum(space, store.generation, follows ? 0 : ackReplicas)
  const attachedBySession = new Map<unknown, Attached>()
  const greeting = createGreeting(space, store.id, log)
  const delivering = createDelivering({ space, quorum, attachedBySession, runtime, log, refuse })
  const walk = { space, store, kept, deflate: options.deflate ?? (frame => frame) }
  const answering = createAnswering({ walk, log, greeting, delivering, refuse })
  const folding = createFolding(name, options, betweenTurns, () => {
    if (attachedBySession.size === 0) onEmpty()
  })
  const passedSessions = createPassedSessions({
    space: name,
    admit,
    attach: (link, hello, caller, follower) => attach({ link, hello, caller, welcomed: null, follower }),
    receive,
    detach,
    fail: unpassable,
  })
  const passingOn = follows
    ? createPassingOn({ space, generation: store.generation, refuse, sendAway })
    : null
  let leader: Attached | null = null
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
      if (quorum.count(attachedBySession.values())) delivering.tellQuorum()
      if (arrivals.length > 0) space.openLineage()
      const draft = space.draft()
      if (draft !== null) await commit(draft, reads)
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
    delivering.deliver(deliveries)
    for (const { attached, frame } of frames) {
      // What only brings has its answer in the turn.
      if (!attached.open || frame.type === 'submit') continue
      await answering.answer(attached, frame)
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

  async function commit(draft: SpaceCommit, reads: Reads): Promise<void> {
    for (const key of draft.rows.keys()) {
      const before = reads.rows.get(key)
      if (before !== undefined) kept.drop(name, before.position)
    }
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

  function unpassable(follower: Attached, error: string): void {
    log.error({ space: name, error }, 'what a follower passed on could not be taken in')
    refuse(follower, failure('overloaded', { retryAfterMs: 1000 }))
  }

  async function sendPages(): Promise<boolean> {
    let progressed = false
    for (const attached of attachedBySession.values()) {
      if (queue.length > 0) return true
      if (answering.hasMore(attached) && (await answering.sendMore(attached))) progressed = true
    }
    return progressed
  }

  function receive(attached: Attached, frame: Frame): void {
    if (!attached.open) return
    if (frame.type === 'submit') attached.awaitsQuorum = true
    if (frame.type === 'passed') return receivePassed(attached, frame)
    if (frame.type === 'quorum') {
      // Of a peer's feed with the next heartbeat: those who wait for it are there, but for some that left.
      if (attached.pull !== null && quorum.hear(frame) && attached === leader) delivering.tellQuorum()
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
    answering.tellGiven(attached)
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

  function attach(arrival: Arrival): Promise<Attached> {
    return new Promise((resolve, fail) => {
      const run = (): void => {
        const attached = greeting.greet(arrival, runtime.now())
        attachedBySession.set(attached.session, attached)
        delivering.tellQuorumTo(attached)
        if (passingOn !== null && arrival.welcomed !== null) follow(passingOn, attached, arrival.welcomed)
        resolve(attached)
      }
      queue.push({ kind: 'attach', run, fail })
      start()
    })
  }

  return {
    attach,
    helloToPeer: greeting.helloToPeer,
    receive,
    detach,
    wake: start,
    heartbeat: delivering.heartbeat,
    isIdle: () => attachedBySession.size === 0 && running === null && queue.length === 0 && folding.isIdle,
    async settled() {
      await folding.stop()
      while (running !== null) await running
    },
  }
}

/** Frames whose contents are to be stored, or that say where what follows them goes on. */
const bringing: ReadonlySet<Frame['type']> = new Set(['submit', 'go-on', 'give', 'changes', 'text'])
