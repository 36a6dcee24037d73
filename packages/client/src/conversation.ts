/**
 * One conversation with a relay: a link, and the session over it, watched by the clock.
 *
 *   connecting -- opened --> greeting -- welcome --> talking
 *       \________________________\___________________/--> over (told once, unless it was closed from here)
 *
 * A network that fails in silence shows itself by nothing at all. So each step has a deadline, and who hears nothing for
 * longer than two heartbeats goes.
 */
import type { Connect, Link, Runtime } from '@rejoin/core'
import type { SessionDriver } from './session-driver.ts'
import type { SessionEnd } from './driving.ts'

export type ConversationEnd =
  | SessionEnd
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string }
  /** No link, or no welcome, in time; or silence. */
  | { readonly kind: 'silent' }

export interface Conversation {
  readonly session: SessionDriver | null
  /** Asks for a sign of life that must come soon: after a sleep, or when the network came back. */
  probe(): void
  /** Ends it without a word to its owner. */
  close(): void
}

export interface ConversationOptions {
  readonly url: string
  readonly connect: Connect
  readonly runtime: Runtime
  /** Makes the session when the link is open. */
  readonly createSession: (
    send: (bytes: Uint8Array) => void,
    onEnd: (end: SessionEnd) => void,
  ) => SessionDriver
  readonly onEnd: (end: ConversationEnd) => void
}

const answerMs = 10_000
const silenceMs = 25_000
const watchMs = 5000

export function createConversation(options: ConversationOptions): Conversation {
  const { runtime } = options
  let link: Link | null = null
  let isOver = false
  let watchedAt = runtime.monotonic()
  let deadline = watchedAt + answerMs
  let cancelWatch = runtime.after(watchMs, watch)

  const conversation = {
    session: null as SessionDriver | null,
    probe() {
      const { session } = conversation
      if (isOver || session === null) return
      deadline = Math.min(deadline, runtime.monotonic() + answerMs)
      session.probe()
      cancelWatch()
      watch()
    },
    close() {
      if (!isOver) quit()
    },
  }
  const giveUp = options.connect(options.url, {
    opened(opened) {
      if (isOver) return opened.close()
      link = opened
      heard(answerMs)
      conversation.session = options.createSession(bytes => link?.send(bytes), over)
      conversation.session.begin()
    },
    frame(bytes, isMore) {
      const { session } = conversation
      if (isOver || session === null) return
      // The first frame is the welcome, or the end.
      heard(silenceMs)
      session.receive(bytes, isMore)
    },
    closed: (code, reason) => over({ kind: 'closed', code, reason }),
  })

  function heard(nextWithinMs: number): void {
    deadline = runtime.monotonic() + nextWithinMs
  }

  function watch(): void {
    const now = runtime.monotonic()
    // Whoever slept hears what waited for it only after its timers.
    if (now - watchedAt > 2 * watchMs) deadline = Math.max(deadline, now + watchMs)
    watchedAt = now
    if (now >= deadline) return over({ kind: 'silent' })
    cancelWatch = runtime.after(Math.min(watchMs, deadline - now), watch)
  }

  function over(end: ConversationEnd): void {
    if (isOver) return
    quit()
    options.onEnd(end)
  }

  function quit(): void {
    isOver = true
    cancelWatch()
    conversation.session?.stop()
    if (link === null) giveUp()
    else link.close()
  }

  return conversation
}
