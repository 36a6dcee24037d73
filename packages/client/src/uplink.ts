/**
 * The way to the relays, from whichever tab: this one, if it holds the lock, or another one that tells of it.
 *
 * Invariant: sessions exist only while this tab holds the lock and a fence that nobody took; what they store bears the
 * fence, one chunk of all of them after the other. What the other tabs show of the connection is what its holder said, so it is true in all of them.
 */
import {
  alone,
  createGrapevine,
  createOffers,
  joinPositions,
  noPositions,
  type DocumentKey,
  type Level,
  type Offers,
  type PartName,
  type Positions,
  type RejoinError,
  type SessionOptions,
  type TextSupport,
} from '@rejoin/core'
import type { Connection, ConnectionInfo } from './connection.ts'
import { createConnections, type Connections } from './connections.ts'
import { createConversation, type Conversation, type ConversationEnd } from './conversation.ts'
import type { DeviceClock } from './device-clock.ts'
import type { Engine } from './engine.ts'
import { createFreshCuts } from './fresh-cuts.ts'
import { createHolderTelling } from './holder-telling.ts'
import type { Fence } from './journal/fence.ts'
import type { ClientPorts } from './ports.ts'
import type { Owner } from './owner.ts'
import { countWaiting } from './hand-off.ts'
import type { Quorum } from './quorum.ts'
import { createSessionDriver, type SessionDriver } from './session-driver.ts'
import type { Repair } from './session-driving.ts'
import type { RelayStatus } from './status.ts'
import { isLaterPausing, isLevelNews, type HolderNews, type Pausing, type TabMessage } from './tab-message.ts'
import { createTabs } from './tabs.ts'
import type { Token } from './token-source.ts'
import { createTurns } from './turns.ts'

export interface Uplink {
  /** Of the tab that has the connection. */
  info(): ConnectionInfo
  relays(): readonly RelayStatus[]
  /** Whether nothing is on its way: neither from the relay to this tab's state, nor from here to the relay. */
  isLevel(): boolean
  /** What relays give; undefined until one said so. */
  levels(): readonly Level[] | undefined
  /** Whose replica this is; until somebody has signed in, who this is to the relay. */
  user(): string | undefined
  /** Asks for a cut that a relay makes after this call. Says from then on whether all up to it is in this tab's state. */
  askCut(): () => boolean
  /** The fence, while this tab has sessions and all of them are at a cut. */
  sessionFence(): Fence | null
  /** Runs something in which no session stores or decides what to store. */
  inTurn<T>(run: () => Promise<T>): Promise<T>
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
  /** Resolves when what the sessions were storing is stored, and nobody who takes over need fear this tab. */
  close(): Promise<void>
}

export interface UplinkOptions {
  readonly name: string
  readonly engine: Engine
  readonly ports: Pick<ClientPorts, 'runtime' | 'locks' | 'openChannel' | 'connect'>
  readonly relays: readonly string[]
  /** Null: one relay at a time. */
  readonly quorum: Quorum | null
  readonly token: Token | undefined
  readonly session: Omit<SessionOptions, 'token'>
  readonly owner: Owner
  readonly supportOf: (key: DocumentKey, part: PartName) => TextSupport | undefined
  /** Something of what `info` and `isLevel` tell or of the clock may have changed. */
  readonly onChange: () => void
  readonly onHold: () => void
  readonly onLost: () => void
  readonly onTick: (isAwake: boolean) => void
  readonly onRepaired: (repair: Repair) => void
  readonly onAlarm: () => void
}

const nothingTold: ConnectionInfo = {
  connection: 'connecting',
  reason: undefined,
  caughtUp: false,
}

/** Of a tab that is put away, that has lost its store, or that is closed. */
const nobodyHeard: ConnectionInfo = { connection: 'offline', reason: undefined, caughtUp: false }

export function createUplink(options: UplinkOptions): Uplink {
  const { engine, ports, quorum } = options
  const { state } = engine
  const { runtime } = ports
  const turns = createTurns()
  const beginHearing = createGrapevine()
  let offers: Offers = alone.offers
  let connections: Connections | null = null
  let fence: Fence | null = null
  let takingFence: Promise<Fence> | null = null
  /** What the store did that left it open whether the fence still stands. */
  let storageFault: RejoinError | null = null
  let levels: readonly Level[] | undefined = quorum === null ? undefined : ['relay', 'quorum']
  let atQuorum = noPositions
  let user: string | undefined
  let pausing: Pausing = { isPaused: false, at: 0 }
  let isStarted = false
  let isAway = false
  let isToTell = false
  /** What the state held of the disk, and how many own writes of that, when the sessions last looked at it. */
  let advanced = { seen: -1, stored: 0 }
  /** What others may want to know of the state, as of when they were last told of it. */
  let noted: { readonly isPending: boolean; readonly seen: number } | null = null

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
      if (isAwake) connections?.nudge()
      for (const session of sessions()) session.heed()
      freshCuts.retry()
      options.onTick(isAwake)
    },
  })

  const telling = createHolderTelling({
    runtime,
    post: tabs.post,
    news: () => (tabs.isHolding ? news() : null),
  })

  const freshCuts = createFreshCuts({
    isHolding: () => tabs.isHolding,
    connections: () => connections?.begun ?? [],
    read: quorum?.read ?? 1,
    seen: () => state.seen,
    post: tabs.post,
    drawName: () => engine.drawWriter(),
  })

  function advance(connection: Connection): void {
    connection.session()?.advance()
  }

  function sessions(): readonly SessionDriver[] {
    return (connections?.begun ?? []).flatMap(connection => connection.session() ?? [])
  }

  function news(): HolderNews {
    const { connection, reason, caughtUp } = connections?.info() ?? nothingTold
    return {
      kind: 'holder',
      connection,
      reason,
      caughtUp,
      relays: connections?.relays() ?? [],
      seen: state.seen,
      pending: engine.pending(),
      clockOffsetMs: engine.clock.offsetMs(),
      levels,
      quorum: atQuorum,
      user,
      owner: options.owner.user,
      pausing,
    }
  }

  function hold(): void {
    options.onHold()
    if (isStarted) connect()
  }

  function connect(): void {
    if (quorum !== null) offers = createOffers(state)
    connections = createConnections({
      relays: options.relays,
      quorum,
      token: options.token,
      runtime,
      isPaused: pausing.isPaused,
      isNew: () => state.cursors.size === 0,
      outboxOf: store => countWaiting(state, store),
      converse,
      onChange() {
        learnFromRelays()
        look()
      },
      onYield: tabs.yield,
    })
    look()
  }

  function lose(): void {
    connections?.close()
    connections = null
    fence?.release()
    fence = null
    options.onLost()
    options.onChange()
  }

  /** One for all sessions: who takes it anew ends those that have the one before. */
  async function holdFence(): Promise<Fence> {
    if (fence !== null && !fence.lost) return fence
    takingFence ??= engine.journal.takeFence().finally(() => {
      takingFence = null
    })
    fence = await takingFence
    storageFault = null
    // What is lost meanwhile guards nothing.
    if (!tabs.isHolding) fence.release()
    return fence
  }

  /** A fence that one session lost with a fault of the store was taken over by nobody, whatever the others meet. */
  function explain(end: ConversationEnd): ConversationEnd {
    if (end.kind === 'storage' && fence?.lost === true) storageFault = end.error
    return end.kind === 'fenced' && storageFault !== null ? { kind: 'storage', error: storageFault } : end
  }

  /** Time goes by what relays say for as long as there is a session with one. */
  function sharedClock(): DeviceClock {
    const { clock } = engine
    return {
      ...clock,
      released() {
        if (sessions().every(({ phase }) => phase === 'ended')) clock.released()
      },
    }
  }

  async function converse(
    url: string,
    token: string,
    onEnd: (end: ConversationEnd) => void,
    onChange: () => void,
  ): Promise<Conversation> {
    const held = await holdFence()
    return createConversation({
      url,
      connect: ports.connect,
      runtime,
      onEnd: end => onEnd(explain(end)),
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
          isFirst: sessions().length === 0,
          admit: user => options.owner.admit(user, token !== ''),
          send,
          onChange,
          onQuorum: ({ generation, position }) => learnQuorum(new Map([[generation, position]])),
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

  /**
   * Something may have changed. A frame that comes changes three things in one tick, of which others are told once; and
   * nobody, where there are none, since each change is news.
   */
  function look(): void {
    if (!isToTell && tabs.mayHaveOthers) {
      queueMicrotask(tellOthers)
      isToTell = true
    }
    options.onChange()
  }

  /** Tells the others what changed, each thing once. */
  function tellOthers(): void {
    isToTell = false
    if (tabs.isHolding) telling.tell(news())
    freshCuts.look()
  }

  /** Asked at each frame: of one relay at a time there is one connection, and no list is made of it. */
  function learnFromRelays(): void {
    const known = quorum === null ? null : sessions().flatMap(({ relay }) => relay ?? [])
    const relay = known === null ? connections?.begun[0]?.session()?.relay : known[0]
    if (!relay) return
    user = relay.user
    learnLevels(known === null ? relay.levels : levelsGiven(known))
  }

  /** Q4: who may only read at some relays has no level there; those that have not answered may give one. */
  function levelsGiven(known: readonly { readonly levels: readonly Level[] }[]): readonly Level[] {
    const giving = options.relays.length - known.filter(relay => relay.levels.length === 0).length
    if (giving === 0) return []
    return giving < (quorum?.write ?? 1) ? ['relay'] : ['relay', 'quorum']
  }

  function hear(message: TabMessage): void {
    switch (message.kind) {
      case 'holder':
        if (tabs.isHolding) return
        user = message.user
        if (message.levels !== undefined) learnLevels(message.levels)
        learnQuorum(message.quorum)
        if (message.owner !== undefined) options.owner.learn(message.owner)
        engine.clock.adopt(message.clockOffsetMs)
        heed(message.pausing)
        return options.onChange()
      case 'pausing':
        return heed(message.pausing)
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
    if (told === levels || told.join() === levels?.join()) return
    levels = told
    engine.heedLevels()
  }

  function learnQuorum(told: Positions): void {
    atQuorum = joinPositions(state.generations, atQuorum, told)
    engine.atQuorum(told)
  }

  /** What a tab said that is gone since may come late. */
  function heed(said: Pausing): void {
    if (!isLaterPausing(said, pausing)) return
    pausing = said
    if (said.isPaused) connections?.pause()
    else connections?.resume()
    look()
  }

  function say(isPaused: boolean): void {
    const said = { isPaused, at: Math.max(runtime.now(), pausing.at + 1) }
    tabs.post({ kind: 'pausing', pausing: said })
    heed(said)
  }

  function infoOfHolder(): ConnectionInfo {
    if (isAway) return nobodyHeard
    if (tabs.isHolding) return connections?.info() ?? nothingTold
    if (pausing.isPaused) return { connection: 'paused', reason: undefined, caughtUp: false }
    return tabs.holder ?? nothingTold
  }

  return {
    info() {
      const { connection, reason, caughtUp } = infoOfHolder()
      return { connection, reason, caughtUp }
    },
    relays: () => (tabs.isHolding ? connections?.relays() : tabs.holder?.relays) ?? [],
    isLevel() {
      if (tabs.isHolding) return connections?.info().caughtUp === true
      const { holder } = tabs
      return holder !== null && isLevelNews(holder) && state.seen >= holder.seen
    },
    askCut: freshCuts.ask,
    levels: () => levels,
    user: () => options.owner.user ?? user,
    sessionFence() {
      const begun = sessions()
      const areLevel = begun.length > 0 && begun.every(({ caughtUp }) => caughtUp)
      return areLevel && fence?.lost === false ? fence : null
    },
    inTurn: turns.run,
    begin: tabs.begin,
    start() {
      isStarted = true
      if (tabs.isHolding && connections === null) connect()
    },
    note() {
      const { seen, outbox } = state
      // Who only reads has nothing to count, at each change that comes.
      const isEmpty = outbox.size === 0
      const stored = isEmpty ? 0 : outbox.size - outbox.counts.unstored
      // Of what is not on disk yet no session has anything to say.
      if (seen !== advanced.seen || stored !== advanced.stored) {
        advanced = { seen, stored }
        connections?.begun.forEach(advance)
      }
      const isPending = !isEmpty && engine.pending() > 0
      const isNews = noted === null || noted.isPending !== isPending || noted.seen !== seen
      // Of one more own write others are told nothing but how many wait for which relay, and that when it is time.
      if (!isNews && (telling.owesCounts() || options.relays.length === 0)) return options.onChange()
      noted = { isPending, seen }
      look()
    },
    pause() {
      if (!pausing.isPaused) say(true)
    },
    resume: () => say(false),
    nudge: () => connections?.nudge(),
    leave() {
      isAway = true
      tabs.leave()
    },
    back() {
      isAway = false
      tabs.back()
    },
    async close() {
      const held = fence
      isAway = true
      telling.stop()
      tabs.close()
      await held?.settled()
    },
  }
}
