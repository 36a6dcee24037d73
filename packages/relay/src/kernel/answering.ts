/**
 * Answering: what sessions ask for, from what is committed, and the pages of who is not at the end of the feed. Nothing
 * of it changes the space. What is more than one frame goes a frame at a time, while there is room (SPEC F1, F3).
 */
import { countParts, rangesRise, type Frame, type WantFrame } from '@rejoin/core'
import { hasRoom, isWritable, type Attached } from './attached.ts'
import { sendCut } from './delivering.ts'
import type { DrivenSpace } from './driven-space.ts'
import { hearWelcome } from './greeting.ts'
import { refuseMalformed, refuseOverloaded, tellGiven } from './leaving.ts'
import { answerWant, sendPage, type Walk } from './pages.ts'
import { answerRange, beginWalk } from './ranges.ts'

/** Rows, bodies and writers that a session may have asked for and not been sent. */
const askedMax = 262_144

export async function answer(driven: DrivenSpace, attached: Attached, frame: Frame): Promise<void> {
  try {
    await tryAnswer(driven, attached, frame)
  } catch (error) {
    unreadable(driven, attached, error)
  }
}

/** Whether it waits for something and has room for it. */
export function hasMore(attached: Attached): boolean {
  const { session, answers } = attached
  if (answers.length > 0) return isWritable(attached)
  return session.walking && !session.live && hasRoom(attached)
}

/** Sends one frame of what it asked for, or one page. Whether it could be read. */
export async function sendMore(driven: DrivenSpace, attached: Attached): Promise<boolean> {
  try {
    if (attached.answers.length > 0) await sendAnswer(attached)
    else {
      // It is stored once the space rests, for who comes after the relay has begun anew.
      const made = await sendPage(walkOf(driven), attached)
      if (made > 0) driven.kernel.resting.grew(driven, made)
    }
    return true
  } catch (error) {
    unreadable(driven, attached, error)
    return false
  }
}

async function tryAnswer(driven: DrivenSpace, attached: Attached, frame: Frame): Promise<void> {
  switch (frame.type) {
    case 'want':
      return ask(driven, attached, frame)
    case 'range':
      if (!rangesRise(frame.ranges)) return refuseMalformed(driven, attached, 'ranges that do not rise')
      if (frame.ranges.length === 0) return endReconciling(driven, attached)
      return answerRange(driven, attached, frame)
    case 'give':
      // A long body comes ahead of its row, which counts.
      attached.given += frame.rows.filter(({ row }) => countParts(row) > 0).length
      // What is passed on has its pull at the follower.
      if (frame.last && attached.follower === null) endReconciling(driven, attached)
      return
    case 'go-on':
      return tellGiven(driven, attached)
    case 'credit':
      attached.session.credit += frame.bytes
      return
    case 'heartbeat':
      if (attached.session.live) sendCut(driven, attached)
      return
    case 'welcome':
      return hearWelcome(driven, attached, frame)
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

function endReconciling(driven: DrivenSpace, attached: Attached): void {
  tellGiven(driven, attached)
  beginWalk(attached)
}

export function walkOf({ space, kernel }: DrivenSpace): Walk {
  const { store, runtime, deflate = null } = kernel.options
  return { space, store, runtime, kept: kernel.kept, deflate }
}

function ask(driven: DrivenSpace, attached: Attached, frame: WantFrame): void {
  const things = frame.keys.length + frame.texts.length + frame.writers.length
  attached.asked += things
  if (attached.asked > askedMax) return refuseOverloaded(driven, attached)
  const { space, kernel } = driven
  const { store, runtime } = kernel.options
  attached.answers.push({ frames: answerWant({ space, store, runtime }, attached, frame), things })
}

/** One frame of what it asked for. */
async function sendAnswer(attached: Attached): Promise<void> {
  const [first] = attached.answers
  if (first === undefined || (await first.frames.next()).done !== true) return
  attached.answers.shift()
  attached.asked -= first.things
}

function unreadable(driven: DrivenSpace, attached: Attached, error: unknown): void {
  const fields = { space: driven.name, error: String(error) }
  driven.kernel.options.log.error(fields, 'what a session asked for could not be read')
  refuseOverloaded(driven, attached)
}
