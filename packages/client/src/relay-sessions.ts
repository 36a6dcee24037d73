/**
 * The sessions of the tab that has the connection, one with each relay that it talks to, and what they share.
 *
 * Invariant: they exist only while this tab holds the lock and a fence that nobody took; what they store bears the fence,
 * one chunk of all of them after the other.
 */
import {
  alone,
  createGrapevine,
  createOffers,
  type DocumentKey,
  type Offers,
  type PartName,
  type QuorumFrame,
  type SessionOptions,
  type TextSupport,
} from '@rejoin/core'
import type { Connection } from './connection.ts'
import { createConnections, type Connections } from './connections.ts'
import { createConversation, type Conversation, type ConversationEnd } from './conversation.ts'
import type { DeviceClock } from './device-clock.ts'
import type { Engine } from './engine.ts'
import { countWaiting } from './hand-off.ts'
import type { Fence } from './journal/fence.ts'
import type { Owner } from './owner.ts'
import type { ClientPorts } from './ports.ts'
import type { Quorum } from './quorum.ts'
import { createSessionDriver, type SessionDriver } from './session-driver.ts'
import type { Repair } from './driving.ts'
import { createSessionFence } from './session-fence.ts'
import type { Token } from './token-source.ts'
import { createTurns } from './turns.ts'

export interface RelaySessions {
  open(isPaused: boolean): void
  close(): void
  /** Null unless they are open. */
  connections(): Connections | null
  /** Those connections that have begun. */
  begun(): readonly Connection[]
  all(): readonly SessionDriver[]
  /** The fence, while there are sessions and all of them are at a cut. */
  fence(): Fence | null
  /** Runs something in which no session stores or decides what to store. */
  inTurn<T>(run: () => Promise<T>): Promise<T>
  /** Once they are closed: resolves when what they were storing is stored. */
  settled(): Promise<unknown>
}

/** What sessions need of who opens a replica. */
export interface RelaySessionsSetup {
  readonly engine: Engine
  readonly ports: Pick<ClientPorts, 'runtime' | 'connect'>
  readonly relays: readonly string[]
  /** Null: one relay at a time. */
  readonly quorum: Quorum | null
  readonly token: Token | undefined
  readonly session: Omit<SessionOptions, 'token'>
  readonly owner: Owner
  readonly supportOf: (key: DocumentKey, part: PartName) => TextSupport | undefined
}

export interface RelaySessionsOptions extends RelaySessionsSetup {
  /** Whether this tab has the lock. */
  readonly isHolding: () => boolean
  readonly onChange: () => void
  /** Another tab has the fence. */
  readonly onYield: () => void
  readonly onQuorum: (told: QuorumFrame) => void
  readonly onRepaired: (repair: Repair) => void
  readonly onAlarm: () => void
}

const none: readonly Connection[] = []

export function createRelaySessions(options: RelaySessionsOptions): RelaySessions {
  const { engine, ports, quorum } = options
  const { state } = engine
  const { runtime } = ports
  const turns = createTurns()
  const beginHearing = createGrapevine()
  const fence = createSessionFence({ take: () => engine.journal.takeFence(), isHolding: options.isHolding })
  let offers: Offers = alone.offers
  let connections: Connections | null = null

  function begun(): readonly Connection[] {
    return connections?.begun ?? none
  }

  function all(): readonly SessionDriver[] {
    return begun().flatMap(connection => connection.session() ?? [])
  }

  /** Time goes by what relays say for as long as there is a session with one. */
  function sharedClock(): DeviceClock {
    const { clock } = engine
    return {
      ...clock,
      released() {
        if (all().every(({ phase }) => phase === 'ended')) clock.released()
      },
    }
  }

  async function converse(
    url: string,
    token: string,
    onEnd: (end: ConversationEnd) => void,
    onChange: () => void,
  ): Promise<Conversation> {
    const held = await fence.hold()
    return createConversation({
      url,
      connect: ports.connect,
      runtime,
      onEnd: end => onEnd(fence.explain(end)),
      createSession: (send, onSessionEnd) =>
        createSessionDriver({
          state,
          journal: engine.journal,
          fence: held,
          runtime,
          clock: sharedClock(),
          drawWriter: engine.drawWriter,
          supportOf: options.supportOf,
          session: { ...options.session, token, address: url },
          turns,
          offers,
          // Of one relay at a time too: what the last one told may be on its way to the disk when this session begins.
          elsewhere: beginHearing(),
          isFirst: all().length === 0,
          admit: user => options.owner.admit(user, token !== ''),
          send,
          onChange,
          onQuorum: options.onQuorum,
          onRepaired: options.onRepaired,
          onAlarm: options.onAlarm,
          onEnd: onSessionEnd,
        }),
    })
  }

  return {
    open(isPaused) {
      if (quorum !== null) offers = createOffers(state)
      connections = createConnections({
        relays: options.relays,
        quorum,
        token: options.token,
        runtime,
        isPaused,
        isNew: () => state.cursors.size === 0,
        outboxOf: store => countWaiting(state, store),
        converse,
        onChange: options.onChange,
        onYield: options.onYield,
      })
    },
    close() {
      connections?.close()
      connections = null
      fence.release()
    },
    connections: () => connections,
    begun,
    all,
    fence() {
      const sessions = all()
      const areLevel = sessions.length > 0 && sessions.every(({ caughtUp }) => caughtUp)
      return areLevel ? fence.held() : null
    },
    inTurn: turns.run,
    settled: fence.settled,
  }
}
