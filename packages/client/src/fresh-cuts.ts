/**
 * Cuts that relays made after somebody asked: what `settled` waits for, since being level with what a relay had a
 * while ago says nothing of what it has acknowledged since.
 *
 * The tab with the connection asks the relay; another tab asks that one, which answers with the journal position at
 * which the cut is on disk. A session that began later needs no question. Questions that get lost, with a message
 * or with a tab, are asked again.
 */
import type { Connection } from './connection.ts'
import type { SessionDriver } from './session-driver.ts'
import type { TabMessage } from './tab-message.ts'

export interface FreshCuts {
  /** Asks now. Says from then on whether everything up to such a cut is in this tab's state. */
  ask(): () => boolean
  hear(message: TabMessage): void
  /** Something of the session may have changed: answers other tabs. */
  look(): void
  /** Asks again what got no answer. */
  retry(): void
}

export interface FreshCutsOptions {
  readonly isHolding: () => boolean
  readonly connections: () => readonly Pick<Connection, 'session' | 'info'>[]
  /** How many relays must have made one. */
  readonly read: number
  /** The journal position up to which this tab has applied everything. */
  readonly seen: () => number
  readonly post: (message: TabMessage) => void
  /** A name that no other question of any tab has. */
  readonly drawName: () => string
}

interface Question {
  readonly isAnswered: () => boolean
  /** Nobody is going to answer it. */
  readonly isLost: () => boolean
}

export function createFreshCuts(options: FreshCutsOptions): FreshCuts {
  const { isHolding, connections, seen, post } = options
  /** Questions to the tab with the connection, with the position at which they are answered; null until then. */
  const asked = new Map<string, number | null>()
  /** Questions of other tabs. */
  const owed = new Map<string, () => boolean>()

  function askRelays(): Question {
    const numbers = new Map<SessionDriver, number>()
    for (const connection of connections()) {
      const session = connection.session()
      if (session !== null) numbers.set(session, session.askCut())
    }
    return {
      isAnswered: () =>
        countLevel(session => session !== null && session.cuts >= (numbers.get(session) ?? 0)) >=
        options.read,
      isLost: () => !isHolding(),
    }
  }

  /** How many sessions are at a cut, with everything that came on disk, and more. */
  function countLevel(and: (session: SessionDriver | null) => boolean): number {
    return connections().filter(({ info, session }) => info().caughtUp && and(session())).length
  }

  function askHolder(): Question {
    const name = options.drawName()
    asked.set(name, null)
    post({ kind: 'ask-cut', name })
    return {
      isAnswered() {
        const position = asked.get(name) ?? null
        // Whoever has become the holder since has a session that began since.
        const isAnswered = isHolding()
          ? countLevel(() => true) >= options.read
          : position !== null && seen() >= position
        if (isAnswered) asked.delete(name)
        return isAnswered
      },
      isLost: () => false,
    }
  }

  function ask(): () => boolean {
    const pose = (): Question => (isHolding() ? askRelays() : askHolder())
    let question = pose()
    return () => {
      if (question.isLost()) question = pose()
      return question.isAnswered()
    }
  }

  return {
    ask,
    hear(message) {
      if (message.kind === 'ask-cut' && isHolding() && !owed.has(message.name)) owed.set(message.name, ask())
      if (message.kind === 'cut' && asked.has(message.name)) asked.set(message.name, message.position)
    },
    look() {
      if (!isHolding()) return owed.clear()
      for (const [name, isAnswered] of owed) {
        if (!isAnswered()) continue
        owed.delete(name)
        post({ kind: 'cut', name, position: seen() })
      }
    },
    retry() {
      if (isHolding()) return connections().forEach(({ session }) => session()?.askAgain())
      for (const [name, position] of asked) if (position === null) post({ kind: 'ask-cut', name })
    },
  }
}
