/**
 * A turn: what sessions sent is taken in against rows that were loaded for it, committed, and only then answered
 * (SPEC A1).
 *
 *   load --> take in --> commit (on disk) --> verdicts, changes --> answers, greetings
 */
import { type Delivery, type Frame, type SpaceCommit } from '@rejoin/core'
import { answer } from './answering.ts'
import { sendWant } from './asking.ts'
import type { Attached } from './attached.ts'
import { compareNoted } from './comparing.ts'
import { deliver } from './delivering.ts'
import type { DrivenSpace, Job } from './driven-space.ts'
import { dealtWith, type Inflow } from './inflow.ts'
import { withoutKnownTexts } from './known-texts.ts'
import { refuse, refuseMalformed, refuseOverloaded } from './leaving.ts'
import { createReads, load, type Reads } from './loading.ts'
import { countQuorum } from './quorum.ts'
import { slicesOf } from './slices.ts'
import { createStretch, type Stretch } from './stretch.ts'

export interface Sent {
  readonly attached: Attached
  readonly frame: Frame
}

/** Of a frame so many transactions, or rows that are given back, are taken in without a look at the time. */
const portionMax = 16

/**
 * Up to so much a turn takes in what came while it took in the rest: what was written offline comes in several frames, and
 * what is taken in together is stored, counted and forwarded once.
 */
const turnCostMax = 8 * 1024 * 1024

/** A commit that is on disk, and how many of its documents were not there before. */
export interface Growth {
  readonly commit: SpaceCommit
  readonly newRows: number
}

/** Empties `jobs`. By what the space grew, which everybody was told; null if by nothing. */
export async function takeTurn(driven: DrivenSpace, jobs: Job[]): Promise<Growth | null> {
  const { space } = driven
  const work = createWork()
  addJobs(work, jobs)
  const { frames, bringers, asking, arrivals, apart, inflows } = work
  const isAlone = frames.length === 0
  // Frames are let go of before the commit: the collector would copy what lives through it, again and again.
  jobs.length = 0
  let deliveries: readonly Delivery[] = []
  let growth: Growth | null = null
  try {
    const stretch = createStretch(driven.kernel.options.runtime)
    const reads = createReads()
    do {
      await load(driven, frames, reads, stretch)
      await takeFrames(driven, frames, reads, stretch)
      frames.length = 0
    } while (!isAlone && joinSubmits(work, driven.queue))
    countQuorum(driven)
    if (arrivals.length > 0) space.openLineage()
    const draft = space.draft()
    // A1: who offers again what is stored is told so without a commit, which looks for itself.
    if (draft === null && bringers.size > 0) await driven.kernel.options.store.assertKept?.()
    if (draft !== null) growth = await commit(driven, draft, reads)
    deliveries = space.committed(driven.attachedBySession)
    compareNoted(driven)
  } catch (error) {
    dropTurn(driven, bringers, error)
    // Who arrived is told of a generation that is on disk, or of none; whether it is does not hang on what others brought.
    if (isAlone) for (const { fail } of arrivals) fail(error)
    else driven.queue.unshift(...arrivals)
    arrivals.length = 0
  }
  // It is on disk: who cannot be told of it begins again, and nobody hears that it failed.
  deliver(driven, deliveries)
  for (const { attached, frame } of asking) if (attached.open) await answer(driven, attached, frame)
  for (const { run, fail } of arrivals) {
    try {
      run()
    } catch (error) {
      fail(error)
    }
  }
  for (const { run } of apart) await run()
  for (const inflow of inflows) {
    const { inTurn } = inflow
    inflow.inTurn = 0
    dealtWith(inflow, inTurn)
  }
  return growth
}

interface Work {
  /** What all of it counts for, as of inflows. */
  cost: number
  readonly frames: Sent[]
  /** Who brought something. */
  readonly bringers: Set<Attached>
  /** What is answered behind the commit. */
  readonly asking: Sent[]
  readonly arrivals: Extract<Job, { readonly kind: 'attach' }>[]
  readonly apart: Extract<Job, { readonly kind: 'apart' }>[]
  /** By what links it came. */
  readonly inflows: Inflow[]
}

/**
 * Takes what came meanwhile out of the queue, as far as submits come first, of those who brought something before: for each
 * further one a frame would be made of its own, without what it brought. Whether there are any.
 */
function joinSubmits(work: Work, queue: Job[]): boolean {
  let count = 0
  for (let cost = work.cost; cost < turnCostMax && count < queue.length; count++) {
    const job = queue[count] as Job
    if (job.kind !== 'frame' || job.frame.type !== 'submit' || !work.bringers.has(job.attached)) break
    cost += job.cost
  }
  if (count > 0) addJobs(work, queue.splice(0, count))
  return count > 0
}

function createWork(): Work {
  return { cost: 0, frames: [], bringers: new Set(), asking: [], arrivals: [], apart: [], inflows: [] }
}

function addJobs(work: Work, jobs: readonly Job[]): void {
  for (const job of jobs) {
    if (job.kind === 'attach') work.arrivals.push(job)
    else if (job.kind === 'apart') work.apart.push(job)
    else {
      const { attached, frame, cost } = job
      const { inflow } = attached
      if (inflow.inTurn === 0) work.inflows.push(inflow)
      inflow.inTurn += cost
      work.cost += cost
      if (!attached.open) continue
      work.frames.push(job)
      if (bringing.has(frame.type)) work.bringers.add(attached)
      if (!answeredInTurn.has(frame.type)) work.asking.push(job)
    }
  }
}

async function takeFrames(
  driven: DrivenSpace,
  frames: readonly Sent[],
  reads: Reads,
  stretch: Stretch,
): Promise<void> {
  const { name, kernel } = driven
  const { store } = kernel.options
  for (let i = 0; i < frames.length; i++) {
    const { attached, frame: whole } = frames[i] as Sent
    const portions = portionsOf(whole)
    for (let at = 0; at < portions.length; at++) {
      const frame = portions[at] as Frame
      if (stretch.isOver()) await stretch.letOthersGo()
      const isPulled = attached.pull !== null && frame.type === 'changes'
      const news = isPulled ? await withoutKnownTexts(name, store, frame, reads.rows) : frame
      // What follows a refused frame of a feed would move the pull on, over what that one brought.
      if (attached.open) takeInFrom(driven, attached, news, reads)
    }
  }
}

/** A bug, but one that a single session's frame has met: it would meet it again, and drop the turns of all others. */
class FrameFault extends Error {
  readonly attached: Attached

  constructor(attached: Attached, cause: unknown) {
    super(String(cause), { cause })
    this.attached = attached
  }
}

function takeInFrom(driven: DrivenSpace, attached: Attached, frame: Frame, reads: Reads): void {
  try {
    takeIn(driven, attached, frame, reads)
  } catch (error) {
    throw new FrameFault(attached, error)
  }
}

/** What is judged one by one need not be all at once. */
function portionsOf(frame: Frame): readonly Frame[] {
  if (frame.type === 'submit' && frame.transactions.length > portionMax)
    return slicesOf(frame.transactions, portionMax).map(transactions => ({ ...frame, transactions }))
  if (frame.type === 'give' && frame.rows.length > portionMax)
    return slicesOf(frame.rows, portionMax).map(rows => ({ ...frame, rows }))
  return [frame]
}

/** What changes the space. */
function takeIn(driven: DrivenSpace, attached: Attached, frame: Frame, reads: Reads): void {
  const { space, kernel } = driven
  const now = kernel.options.runtime.now()
  const { session, pull } = attached
  switch (frame.type) {
    case 'submit':
      return space.submit(session, frame, reads, now)
    case 'go-on':
      return space.goOn(session, frame)
    case 'give':
      return space.give(session, frame, reads, now)
    case 'changes':
    case 'text': {
      if (pull === null) return refuseMalformed(driven, attached, `${frame.type} from a client`)
      const turn = frame.type === 'text' ? pull.text(frame) : pull.changes(frame, reads.row)
      const error = space.pulled(session, turn, reads, now)
      if (error !== null) return refuse(driven, attached, error)
      if (turn.want !== null) sendWant(attached, turn.want)
      const expected = turn.cut?.fingerprint ?? null
      if (expected === null) return
      const held = pull.held(space.generations, space.generation, Number.POSITIVE_INFINITY)
      driven.noted.push({ attached, pull, expected, held })
    }
  }
}

async function commit(driven: DrivenSpace, draft: SpaceCommit, reads: Reads): Promise<Growth> {
  const { store, log } = driven.kernel.options
  let newRows = 0
  for (const key of draft.rows.keys()) {
    const before = reads.rows.get(key)
    if (before === undefined) newRows += 1
    else driven.kernel.kept.leaves(driven.name, before.position, driven.space.position)
  }
  await store.commit(draft)
  if (driven.fault !== null) log.info({ space: driven.name }, 'commits are on disk again')
  driven.fault = null
  return { commit: draft, newRows }
}

/** Nothing of it is on disk: whoever brought a part of it, clients and peers, begins again from what is. */
function dropTurn(driven: DrivenSpace, bringers: Set<Attached>, error: unknown): void {
  driven.noted = []
  // Those who are refused come back; a disk that stays full is told once.
  const isFrames = error instanceof FrameFault
  if (isFrames || String(error) !== driven.fault) {
    const fields = { space: driven.name, error: String(error) }
    const what = isFrames ? 'a frame could not be taken in' : 'a commit failed'
    driven.kernel.options.log.error(fields, `${what}; nothing of it was acknowledged`)
  }
  if (!isFrames) driven.fault = String(error)
  driven.space.failed()
  if (isFrames) {
    bringers.delete(error.attached)
    refuseMalformed(driven, error.attached, 'a frame that cannot be taken in')
  }
  for (const attached of bringers) refuseOverloaded(driven, attached)
}

/** What only brings has its answer in the turn. */
const answeredInTurn: ReadonlySet<Frame['type']> = new Set(['submit', 'changes', 'text'])

/** Frames whose contents are to be stored, or that say where what follows them goes on. */
const bringing: ReadonlySet<Frame['type']> = new Set(['submit', 'go-on', 'give', 'changes', 'text'])
