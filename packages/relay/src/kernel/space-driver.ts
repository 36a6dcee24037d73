/**
 * Drives one space: gathers what came, and takes it in a turn at a time. While a commit is under way the next turn's
 * frames gather: a group commit by itself.
 *
 *   queue --> turn (turns.ts) --> pages for who lags --> queue
 */
import { createRelaySpace, noPositions, type Frame, type PassedFrame } from '@rejoin/core'
import { screenUpdate } from '@rejoin/resolve/screen'
import { hasMore, sendMore } from './answering.ts'
import type { Attached } from './attached.ts'
import type { DrivenSpace, Job, SpaceHost } from './driven-space.ts'
import { createFolding } from './folding.ts'
import { follow, greet, type Arrival } from './greeting.ts'
import { came, costOf } from './inflow.ts'
import { couldNotBegin, detach, refuse, refuseMalformed, refuseOverloaded, sendAway } from './leaving.ts'
import { makePageOf, walkAsNewcomer } from './newcomer.ts'
import { createPassedSessions } from './passed-sessions.ts'
import { createPassingOn, isJudged } from './passing-on.ts'
import { hearQuorum } from './quorum.ts'
import { tellUnmade } from './resting.ts'
import { takeTurn, type Growth } from './turns.ts'

/** Frames taken into one turn at most: it bounds what is decoded at once, and how long the first waits. */
const turnFramesMax = 512
/** So many documents that are new in a commit are a page as soon as they are there. */
const newRowsMin = 256

export async function openSpace(name: string, kernel: SpaceHost): Promise<DrivenSpace> {
  const { options, lead } = kernel
  const { store, follows = false } = options
  const space = createRelaySpace(
    { name, store: store.id, generation: store.generation, screen: screenUpdate, lead },
    await store.loadSpace(name),
  )
  const driven: DrivenSpace = {
    name,
    kernel,
    space,
    attachedBySession: new Map(),
    queue: [],
    running: null,
    fault: null,
    servedLast: 0,
    indexed: null,
    quorum: noPositions,
    noted: [],
    encoder: null,
    grown: 0,
    folding: null,
    passedSessions: null,
    passingOn: null,
    leader: null,
  }
  if (follows) {
    driven.passingOn = createPassingOn({
      space,
      generation: store.generation,
      now: options.runtime.now,
      follow: (leader, lead) => follow(driven, leader, lead),
      refuse: (attached, error) => refuse(driven, attached, error),
      sendAway: (attached, retryAfterMs) => sendAway(driven, attached, retryAfterMs),
    })
  }
  return driven
}

export function attach(driven: DrivenSpace, arrival: Arrival): Promise<Attached> {
  return new Promise((resolve, fail) => {
    driven.queue.push({ kind: 'attach', run: () => resolve(greet(driven, arrival)), fail })
    wake(driven)
  })
}

export function receive(driven: DrivenSpace, attached: Attached, frame: Frame, bytes: number): void {
  if (!attached.open) return
  const { passingOn } = driven
  if (frame.type === 'submit') attached.awaitsQuorum = true
  if (frame.type === 'passed') return receivePassed(driven, attached, frame)
  if (frame.type === 'quorum') return hearQuorum(driven, attached, frame)
  // Q2: it is the leader's to judge.
  if (passingOn !== null && attached.pull === null && isJudged(frame)) return passingOn.pass(attached, frame)
  const cost = costOf(frame, bytes)
  driven.queue.push({ kind: 'frame', attached, frame, cost })
  wake(driven)
  if (!came(attached.inflow, cost)) refuseOverloaded(driven, attached.follower ?? attached)
}

/** Something came, or somebody has room again. */
export function wake(driven: DrivenSpace): void {
  driven.running ??= run(driven).finally(() => {
    driven.running = null
    if (driven.queue.length > 0) wake(driven)
  })
}

export function isIdle(driven: DrivenSpace): boolean {
  const { kernel, attachedBySession, running, queue, folding } = driven
  if (attachedBySession.size > 0 || running !== null || queue.length > 0) return false
  return folding?.isIdle !== false && !kernel.resting.awaits(driven)
}

/** What new replicas will be sent. */
export function makePages(driven: DrivenSpace, isToStop: () => boolean): Promise<void> {
  return walkAsNewcomer(driven, run => betweenTurns(driven, run), isToStop)
}

/** Resolves when everything received so far is answered, whatever comes meanwhile. */
export async function settle(driven: DrivenSpace): Promise<void> {
  await driven.folding?.stop()
  await betweenTurns(driven, async () => {})
}

async function run(driven: DrivenSpace): Promise<void> {
  // What comes in this tick is one turn.
  await Promise.resolve()
  for (;;) {
    const jobs = driven.queue
    driven.queue = jobs.length > turnFramesMax ? jobs.splice(turnFramesMax) : []
    if (jobs.length > 0) await turn(driven, jobs)
    const progressed = await sendPages(driven)
    if (driven.queue.length === 0 && !progressed) return
  }
}

/** Apart from the others, so that what it committed is let go of before the next. */
async function turn(driven: DrivenSpace, jobs: Job[]): Promise<void> {
  const growth = await takeTurn(driven, jobs)
  if (growth !== null) await grew(driven, growth)
}

/** Behind each turn somebody is sent something, and everybody as long as nothing else is to be taken in (SPEC F3). */
async function sendPages(driven: DrivenSpace): Promise<boolean> {
  // As a rule nobody lags.
  if (!somebodyLags(driven)) return false
  let progressed = false
  for (const attached of inOrder(driven)) {
    if (progressed && driven.queue.length > 0) return true
    if (!hasMore(attached)) continue
    driven.servedLast = attached.session.id
    if (await sendMore(driven, attached)) progressed = true
  }
  return progressed
}

function somebodyLags({ attachedBySession }: DrivenSpace): boolean {
  for (const attached of attachedBySession.values()) if (hasMore(attached)) return true
  return false
}

/** Who comes next, and at the end who was served last. */
function* inOrder({ attachedBySession, servedLast }: DrivenSpace): Generator<Attached> {
  for (const attached of attachedBySession.values()) if (attached.session.id > servedLast) yield attached
  for (const attached of attachedBySession.values()) if (attached.session.id <= servedLast) yield attached
}

/** Runs it as a part of a turn: no commit is under way, and no row is judged by what was loaded before. */
function betweenTurns(driven: DrivenSpace, run: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    driven.queue.push({ kind: 'apart', run: () => run().then(resolve, reject) })
    wake(driven)
  })
}

async function grew(driven: DrivenSpace, { commit, newRows }: Growth): Promise<void> {
  const { name, kernel } = driven
  const { rows, texts } = commit
  kernel.resting.grew(driven, rows.size)
  if (texts.length > 0) {
    driven.folding ??= createFolding(name, kernel.options, run => betweenTurns(driven, run))
    driven.folding.grew(texts)
  }
  if (newRows >= newRowsMin)
    await makePageOf(driven, commit).catch((error: unknown) => tellUnmade(kernel.options.log, driven, error))
}

function receivePassed(driven: DrivenSpace, attached: Attached, frame: PassedFrame): void {
  if (attached === driven.leader) return driven.passingOn?.answered(frame)
  if (attached.pull === null) return refuseMalformed(driven, attached, 'only relays pass on')
  driven.passedSessions ??= createPassedSessions({
    space: driven.name,
    admit: user => driven.kernel.admit(user, driven.name),
    attach: (link, hello, caller, follower) =>
      attach(driven, { link, hello, caller, welcomed: null, follower, inflow: follower.inflow }),
    receive: (session, passed, bytes) => receive(driven, session, passed, bytes),
    detach: session => detach(driven, session),
    notBegun: error => couldNotBegin(driven.kernel.options.log, driven.name, error),
    fail(follower, error) {
      driven.kernel.options.log.error(
        { space: driven.name, error },
        'what a follower passed on could not be taken in',
      )
      refuseOverloaded(driven, follower)
    },
  })
  driven.passedSessions.receive(attached, frame)
}
