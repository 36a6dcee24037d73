/**
 * Answering: what sessions ask for, from what is committed, and the pages of who is not at the end of the feed. Nothing
 * of it changes the space. What is more than one frame goes a frame at a time, while there is room (SPEC F1, F3).
 */
import { countParts, failure, rangesRise, type Failure, type Frame, type WantFrame } from '@rejoin/core'
import type { Log } from '../kernel-port.ts'
import { hasRoom, isWritable, type Attached } from './attached.ts'
import type { Delivering } from './delivering.ts'
import type { Greeting } from './greeting.ts'
import { answerWant, sendPage, type Walk } from './pages.ts'
import { answerRange } from './ranges.ts'

export interface Answering {
  answer(attached: Attached, frame: Frame): Promise<void>
  /** Whether it waits for something and has room for it. */
  hasMore(attached: Attached): boolean
  /** Sends one frame of what it asked for, or one page. Whether it could be read. */
  sendMore(attached: Attached): Promise<boolean>
  /** T2: what a client gave back is counted, and told once it has ended. */
  tellGiven(attached: Attached): void
}

export interface AnsweringOptions {
  readonly walk: Walk
  readonly log: Log
  readonly greeting: Greeting
  readonly delivering: Delivering
  readonly refuse: (attached: Attached, error: Failure) => void
}

/** Rows, bodies and writers that a session may have asked for and not been sent. */
const askedMax = 262_144

export function createAnswering(options: AnsweringOptions): Answering {
  const { walk, log, greeting, delivering, refuse } = options
  const { space, store } = walk

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
        if (attached.session.live) delivering.sendCut(attached)
        return
      case 'welcome':
        return greeting.welcomed(attached, frame)
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
    log.error({ space: space.name, error: String(error) }, 'what a session asked for could not be read')
    refuse(attached, failure('overloaded', { retryAfterMs: 1000 }))
  }

  function tellGiven(attached: Attached): void {
    const { session, given: rows, givenRefused: refused } = attached
    if (rows === 0) return
    attached.given = attached.givenRefused = 0
    const { replica, device, caller } = session
    log.info(
      { space: space.name, replica, device, user: caller.user, rows, refused },
      'a client gave back rows',
    )
  }

  return {
    async answer(attached, frame) {
      try {
        await answer(attached, frame)
      } catch (error) {
        unreadable(attached, error)
      }
    },
    hasMore: attached => {
      const { session, answers } = attached
      if (answers.length > 0) return isWritable(attached)
      return session.walking && !session.live && hasRoom(attached)
    },
    async sendMore(attached) {
      try {
        await (attached.answers.length > 0 ? sendAnswer(attached) : sendPage(walk, attached))
        return true
      } catch (error) {
        unreadable(attached, error)
        return false
      }
    },
    tellGiven,
  }
}
