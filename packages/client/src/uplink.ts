/**
 * The way to the relays, from whichever tab: this one, if it holds the lock, or another one that tells of it.
 *
 * Invariant: a session exists only while this tab holds the lock and a fence that nobody took; what it stores bears the
 * fence. What the other tabs show of the connection is what its holder said, so it is true in all of them.
 */
import {
  type DocumentKey,
  type Level,
  type PartName,
  type QuorumFrame,
  type SessionOptions,
  type TextSupport,
} from '@rejoin/core'
import { createConnection, type Connection, type ConnectionInfo } from './connection.ts'
import { createConversation, type Conversation, type ConversationEnd } from './conversation.ts'
import type { Engine } from './engine.ts'
import { createFreshCuts } from './fresh-cuts.ts'
import type { Fence } from './journal/fence.ts'
import type { ClientPorts } from './ports.ts'
import type { Owner } from './owner.ts'
import { createSessionDriver, type Repair } from './session-driver.ts'
import { isSameNews, type HolderNews, type TabMessage } from './tab-message.ts'
import { createTabs } from './tabs.ts'
import type { Token } from './token-source.ts'

export interface Uplink {
  /** Of the tab that has the connection. */
  readonly info: ConnectionInfo
  /** Whether nothing is on its way: neither from the relay to this tab's state, nor from here to the relay. */
  readonly isLevel: boolean
  /** What relays give; undefined until one said so. */
  readonly levels: readonly Level[] | undefined
  /** Whose replica this is; until somebody has signed in, who this is to the relay. */
  readonly user: string | undefined
  /** Asks for a cut that a relay makes after this call. Says from then on whether all up to it is in this tab's state. */
  askCut(): () => boolean
  /** The fence, while this tab has a session at a cut. */
  readonly sessionFence: Fence | null
  readonly isHolding: boolean
  /** Takes the lock if nobody has it, else waits. Whether it got it at once. Nothing is stored before `start`. */
  begin(): Promise<boolean>
  /** The state is read: from now on this tab talks to relays when it has the lock. */
  start(): void
  /** Own writes were stored, or the state changed otherwise. */
  note(): void
  pause(): void
  resume(): void
  /** The network may be there again. */
  nudge(): void
  leave(): void
  back(): void
  close(): void
}

export interface UplinkOptions {
  readonly name: string
  readonly engine: Engine
  readonly ports: Pick<ClientPorts, 'runtime' | 'locks' | 'openChannel' | 'connect'>
  readonly relays: readonly string[]
  readonly token: Token | undefined
  readonly session: Omit<SessionOptions, 'token'>
  readonly owner: Owner
  readonly supportOf: (key: DocumentKey, part: PartName) => TextSupport | undefined
  /** Something of `info`, `isLevel` or the clock may have changed. */
  readonly onChange: () => void
  readonly onHold: () => void
  readonly onLost: () => void
  readonly onTick: (isAwake: boolean) => void
  readonly onRepaired: (repair: Repair) => void
  readonly onAlarm: () => void
}

const nothingTold: ConnectionInfo = { connection: 'connecting', reason: undefined, caughtUp: false }

export function createUplink(options: UplinkOptions): Uplink {
  const { engine, ports } = options
  const { runtime } = ports
  let connection: Connection | null = null
  let fence: Fence | null = null
  let levels: readonly Level[] | undefined
  let quorum: QuorumFrame | undefined
  let user: string | undefined
  let isPaused = false
  let isStarted = false
  let told: HolderNews | null = null

  const tabs = createTabs({
    name: options.name,
    runtime,
    locks: ports.locks,
    openChannel: ports.openChannel,
    news,
    onHold: hold,
    onLost: lose,
    onMessage: hear,
    onTick(isAwake) {
      if (isAwake) connection?.nudge()
      connection?.session?.heed()
      freshCuts.retry()
      options.onTick(isAwake)
    },
  })

  const freshCuts = createFreshCuts({
    isHolding: () => tabs.isHolding,
    session: () => connection?.session ?? null,
    isLevel: () => connection?.info.caughtUp === true,
    seen: () => engine.state.seen,
    post: tabs.post,
    drawName: () => engine.drawWriter(),
  })

  function news(): HolderNews {
    const info = connection?.info ?? nothingTold
    return {
      kind: 'holder',
      ...info,
      seen: engine.state.seen,
      pending: engine.pending,
      clockOffsetMs: engine.clock.offsetMs,
      levels,
      quorum,
      user,
      owner: options.owner.user,
      isPaused,
    }
  }

  function hold(): void {
    options.onHold()
    if (isStarted) connect()
  }

  function connect(): void {
    connection = createConnection({
      relays: options.relays,
      token: options.token,
      runtime,
      isPaused,
      converse,
      onChange: look,
      onYield: tabs.yield,
    })
    look()
  }

  function lose(): void {
    connection?.close()
    connection = null
    fence?.release()
    fence = null
    options.onLost()
    options.onChange()
  }

  async function converse(
    url: string,
    token: string,
    onEnd: (end: ConversationEnd) => void,
  ): Promise<Conversation> {
    if (fence === null || fence.lost) fence = await engine.journal.takeFence()
    const held = fence
    return createConversation({
      url,
      connect: ports.connect,
      runtime,
      onEnd,
      createSession: (send, onSessionEnd) =>
        createSessionDriver({
          state: engine.state,
          journal: engine.journal,
          fence: held,
          runtime,
          clock: engine.clock,
          drawWriter: engine.drawWriter,
          supportOf: options.supportOf,
          session: { ...options.session, token },
          admit: user => options.owner.admit(user, token !== ''),
          send,
          onChange: () => connection?.look(),
          onQuorum: learnQuorum,
          onRepaired(repair) {
            options.onRepaired(repair)
            tabs.post({ kind: 'event', name: 'repaired', detail: repair })
          },
          onAlarm() {
            options.onAlarm()
            tabs.post({ kind: 'event', name: 'alarm', detail: null })
          },
          onEnd: onSessionEnd,
        }),
    })
  }

  /** Tells the others what changed, each thing once. */
  function look(): void {
    const relay = connection?.session?.relay ?? null
    if (relay !== null) {
      user = relay.user
      learnLevels(relay.levels)
    }
    if (tabs.isHolding) {
      const current = news()
      if (told === null || !isSameNews(told, current)) {
        told = current
        tabs.post(current)
      }
    }
    freshCuts.look()
    options.onChange()
  }

  function hear(message: TabMessage): void {
    switch (message.kind) {
      case 'holder':
        if (tabs.isHolding) return
        user = message.user
        if (message.levels !== undefined) learnLevels(message.levels)
        if (message.quorum !== undefined) learnQuorum(message.quorum)
        if (message.owner !== undefined) options.owner.learn(message.owner)
        isPaused = message.isPaused
        engine.clock.adopt(message.clockOffsetMs)
        return options.onChange()
      case 'pause':
      case 'resume':
        return setPaused(message.kind === 'pause')
      case 'event':
        if (message.name === 'alarm') options.onAlarm()
        if (message.name === 'repaired') options.onRepaired(message.detail as Repair)
        return
      case 'ask-cut':
      case 'cut':
        freshCuts.hear(message)
        return look()
      default:
        return options.onChange()
    }
  }

  function learnLevels(told: readonly Level[]): void {
    if (told === levels) return
    levels = told
    engine.heedLevels()
  }

  function learnQuorum(told: QuorumFrame): void {
    quorum = told
    engine.atQuorum(told)
  }

  function setPaused(paused: boolean): void {
    isPaused = paused
    if (paused) connection?.pause()
    else connection?.resume()
    look()
  }

  function infoOfHolder(): ConnectionInfo {
    if (tabs.isHolding) return connection?.info ?? nothingTold
    if (isPaused) return { connection: 'paused', reason: undefined, caughtUp: false }
    return tabs.holder ?? nothingTold
  }

  return {
    get info() {
      const { connection: state, reason, caughtUp } = infoOfHolder()
      return { connection: state, reason, caughtUp }
    },
    get isLevel() {
      if (tabs.isHolding) return connection?.info.caughtUp === true
      const { holder } = tabs
      return holder !== null && holder.caughtUp && holder.pending === 0 && engine.state.seen >= holder.seen
    },
    askCut: freshCuts.ask,
    get levels() {
      return levels
    },
    get user() {
      return options.owner.user ?? user
    },
    get sessionFence() {
      return connection?.session?.caughtUp === true && fence?.lost === false ? fence : null
    },
    get isHolding() {
      return tabs.isHolding
    },
    begin: tabs.begin,
    start() {
      isStarted = true
      if (tabs.isHolding && connection === null) connect()
    },
    note() {
      connection?.session?.advance()
      look()
    },
    pause() {
      if (!isPaused) tabs.post({ kind: 'pause' })
      setPaused(true)
    },
    resume() {
      tabs.post({ kind: 'resume' })
      setPaused(false)
    },
    nudge: () => connection?.nudge(),
    leave: tabs.leave,
    back: tabs.back,
    close: tabs.close,
  }
}
