/**
 * The connection of a replica: one conversation at a time with one of its relays, and when to begin the next.
 *
 *            +------------------ back-off, retry-after ------------------+
 *            v                                                           |
 *   resting --> asking for a token --> talking -- ended, silent, closed --+
 *      ^ |                                  |
 *      | +-- nudge (online, visible, awake): at once, at most once a second
 *      +---- resume ---- paused (by the application) / stopped (a relay said no for good)
 *
 * Invariants: there is never more than one conversation; two attempts are never closer than the back-off says, but for
 * a nudge, which does not shorten what a relay asked for; a token is asked for at most once for each attempt.
 */
import { RejoinError, StorageCollision, type ErrorCode, type Runtime } from '@rejoin/core'
import { backOffDelay, retryAfterDelay } from './back-off.ts'
import { nextStep } from './close-policy.ts'
import type { Conversation, ConversationEnd } from './conversation.ts'
import type { SessionDriver } from './session-driver.ts'
import type { Connection as ConnectionState } from './status.ts'
import { createTokenSource, type Token } from './token-source.ts'

export interface ConnectionInfo {
  readonly connection: ConnectionState
  readonly reason: ErrorCode | undefined
  /** Level with the relay, with everything received on disk. */
  readonly caughtUp: boolean
}

export interface Connection {
  info(): ConnectionInfo
  session(): SessionDriver | null
  /** Of the relay that it is at. */
  url(): string
  /** Ends the conversation, and begins none until `resume`. */
  pause(): void
  /** Tries at once, also what was given up. */
  resume(): void
  /** The network may be there again: tries at once, or asks for a sign of life. */
  nudge(): void
  /** Something of the session may have changed; asks the connection to look. */
  look(): void
  close(): void
}

export interface ConnectionOptions {
  readonly relays: readonly string[]
  readonly token: Token | undefined
  readonly runtime: Runtime
  readonly isPaused: boolean
  /** Begins a conversation. Throws `StorageCollision` if another tab took over, a RejoinError if the store fails. */
  readonly converse: (
    url: string,
    token: string,
    onEnd: (end: ConversationEnd) => void,
  ) => Promise<Conversation>
  /** Something of what `info` tells may have changed. */
  readonly onChange: () => void
  /** Another tab took over. The owner closes this connection. */
  readonly onYield: () => void
}

interface RelayPlace {
  readonly url: string
  /** Why it is of no use until `resume`. */
  stopped: ErrorCode | null
  /** Monotonic time before which it does not want to be asked. */
  notBefore: number
}

/** Two attempts that nudges set off are at least this far apart. */
const nudgeGapMs = 1000
/** A conversation that was level for so long was a good one: what fails after it begins a new count. */
const healthyMs = 5000

/** Begins at once, unless it is paused. */
export function createConnection(options: ConnectionOptions): Connection {
  const { runtime, onChange } = options
  const relays: readonly RelayPlace[] = options.relays.map(url => ({ url, stopped: null, notBefore: 0 }))
  const tokens = createTokenSource(runtime, options.token)
  let at = 0
  let failures = 0
  /** When the first of them was. */
  let failingSince = 0
  let reason: ErrorCode | undefined
  let isPaused = options.isPaused
  let isClosed = false
  let isUnknown = false
  let attempt = 0
  let attemptedAt = Number.NEGATIVE_INFINITY
  let wakeAt = 0
  let cancelWake: (() => void) | null = null
  let isAsking = false
  let conversation: Conversation | null = null
  let levelAt: number | null = null

  function rest(until: number): void {
    cancelWake?.()
    wakeAt = until
    cancelWake = runtime.after(Math.max(0, until - runtime.monotonic()), () => {
      cancelWake = null
      void begin()
    })
  }

  async function begin(): Promise<void> {
    const place = relays[at]
    if (isClosed || isPaused || place === undefined || conversation !== null || isAsking) return
    const now = runtime.monotonic()
    attemptedAt = now
    const mine = ++attempt
    isAsking = true
    levelAt = null
    onChange()
    const token = await tokens.get().catch(() => null)
    if (mine !== attempt) return
    // Whether nobody is signed in or the network is away, only the application's function knows.
    if (token === null) return fail('unauthenticated', false)
    let isOver: ConversationEnd | null = null
    try {
      const begun = await options.converse(place.url, token, end => {
        if (mine === attempt && !isAsking) ended(end)
        else isOver = end
      })
      if (mine !== attempt) return begun.close()
      isAsking = false
      conversation = begun
      if (isOver !== null) return ended(isOver)
    } catch (error) {
      if (!(error instanceof StorageCollision) && !(error instanceof RejoinError)) throw error
      if (mine !== attempt) return
      isAsking = false
      return ended(error instanceof RejoinError ? { kind: 'storage', error } : { kind: 'fenced' })
    }
    onChange()
  }

  function ended(end: ConversationEnd): void {
    conversation = null
    if (levelAt !== null && runtime.monotonic() - levelAt >= healthyMs) failures = 0
    levelAt = null
    const step = nextStep(end)
    const place = relays[at]
    if (isClosed || place === undefined) return
    switch (step.kind) {
      case 'yield':
        return options.onYield()
      case 'ask-token':
        tokens.forget()
        fail('unauthenticated', false)
        isUnknown = true
        return onChange()
      case 'stop':
        place.stopped = step.reason
        if (!isStopped()) return fail(step.reason, true)
        isUnknown = false
        reason = step.reason
        return onChange()
      case 'retry':
        if (step.retryAfterMs > 0) {
          place.notBefore = runtime.monotonic() + retryAfterDelay(runtime, step.retryAfterMs)
        }
        return fail(step.reason, end.kind !== 'storage')
    }
  }

  function isStopped(): boolean {
    return relays.length > 0 && relays.every(({ stopped }) => stopped !== null)
  }

  /** On to the next relay, if another one may do better; once all were tried, after a while. */
  function fail(why: ErrorCode | undefined, moves: boolean): void {
    reason = why
    isUnknown = false
    isAsking = false
    const now = runtime.monotonic()
    if (failures === 0) failingSince = now
    failures += 1
    if (moves) moveOn()
    const rounds = Math.ceil(failures / relays.length)
    const backOffMs = backOffDelay(runtime, rounds, now - failingSince)
    rest(Math.max(now + backOffMs, relays[at]?.notBefore ?? 0))
    onChange()
  }

  /** The next relay in turn that was not given up; of several, not one that asked for time if another did not. */
  function moveOn(): void {
    const turn = relays.map((_, i) => (at + 1 + i) % relays.length)
    const open = turn.filter(i => relays[i]?.stopped === null)
    const now = runtime.monotonic()
    at = open.find(i => (relays[i]?.notBefore ?? 0) <= now) ?? earliest(open) ?? at
  }

  function earliest(places: readonly number[]): number | undefined {
    return [...places].sort((a, b) => (relays[a]?.notBefore ?? 0) - (relays[b]?.notBefore ?? 0))[0]
  }

  function stopTrying(): void {
    attempt += 1
    isAsking = false
    cancelWake?.()
    cancelWake = null
    conversation?.close()
    conversation = null
    levelAt = null
  }

  function look(): void {
    const session = conversation?.session ?? null
    if (session !== null && session.phase !== 'greeting') {
      isUnknown = false
      reason = undefined
      if (session.caughtUp) levelAt ??= runtime.monotonic()
    }
    onChange()
  }

  function describe(): ConnectionInfo {
    const session = conversation?.session ?? null
    const caughtUp = session?.caughtUp === true
    const told = (connection: ConnectionState): ConnectionInfo => ({ connection, reason, caughtUp })
    if (isPaused || isClosed) return { connection: 'paused', reason: undefined, caughtUp: false }
    if (isUnknown || isStopped()) return told('paused')
    if (conversation === null && !isAsking) return told('offline')
    if (session === null || session.phase === 'greeting') return told('connecting')
    if (session.phase !== 'open' || levelAt === null) return told('catching-up')
    // Q4: a relay that offers no level takes no writes of this token.
    const mayWrite = session.relay?.levels.length !== 0
    return { connection: 'online', reason: mayWrite ? undefined : 'not-permitted', caughtUp }
  }

  // Once who made it has it in hand; a timer would be a millisecond later.
  if (!isPaused && relays.length > 0) queueMicrotask(() => void begin())

  return {
    info: describe,
    session: () => conversation?.session ?? null,
    url: () => relays[at]?.url ?? '',
    pause() {
      if (isPaused || isClosed) return
      isPaused = true
      stopTrying()
      onChange()
    },
    resume() {
      if (isClosed) return
      isPaused = false
      failures = 0
      for (const place of relays) {
        place.stopped = null
        place.notBefore = 0
      }
      if (conversation === null && !isAsking) void begin()
      onChange()
    },
    nudge() {
      if (isClosed || isPaused) return
      if (conversation !== null) return conversation.probe()
      if (cancelWake === null || reason === 'unauthenticated') return
      const soonest = Math.max(runtime.monotonic(), attemptedAt + nudgeGapMs, relays[at]?.notBefore ?? 0)
      if (soonest < wakeAt) rest(soonest)
    },
    look,
    close() {
      if (isClosed) return
      stopTrying()
      isClosed = true
      tokens.close()
    },
  }
}
