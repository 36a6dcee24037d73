/**
 * The way to the relays, from whichever tab: this one, if it holds the lock, or another one that tells of it.
 *
 * Invariant: what the other tabs show of the connection is what its holder said, so it is true in all of them. Sessions
 * are open while this tab holds the lock, once its state is read (relay-sessions.ts).
 */
import type { Level } from '@rejoin/core'
import type { Connection, ConnectionInfo } from './connection.ts'
import { createFreshCuts } from './fresh-cuts.ts'
import { createHolderTelling } from './holder-telling.ts'
import type { Fence } from './journal/fence.ts'
import { createSharedPausing } from './pausing.ts'
import type { ClientPorts } from './ports.ts'
import { createRelayNews } from './relay-news.ts'
import { createRelaySessions, type RelaySessionsSetup } from './relay-sessions.ts'
import type { Repair } from './driving.ts'
import type { RelayStatus } from './status.ts'
import { isLevelNews, type HolderNews, type TabMessage } from './tab-message.ts'
import { createTabs } from './tabs.ts'

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

export interface UplinkOptions extends RelaySessionsSetup {
  readonly name: string
  readonly ports: Pick<ClientPorts, 'runtime' | 'locks' | 'openChannel' | 'connect'>
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
  let isStarted = false
  let isAway = false
  let isToTell = false
  /** What the state held of the disk, and how many own writes of that, when the sessions last looked at it. */
  let advanced = { seen: -1, stored: 0 }
  /** What others may want to know of the state, as of when they were last told of it. */
  let noted: { readonly isPending: boolean; readonly seen: number } | null = null

  const relayNews = createRelayNews(options)
  const sessions = createRelaySessions({
    ...options,
    isHolding: () => tabs.isHolding,
    onChange() {
      relayNews.learnFrom(sessions.begun())
      look()
    },
    onYield: () => tabs.yield(),
    onQuorum: ({ generation, position }) => relayNews.learnQuorum(new Map([[generation, position]])),
    onRepaired(repair) {
      options.onRepaired(repair)
      tabs.post({ kind: 'event', name: 'repaired', detail: repair })
    },
    onAlarm() {
      options.onAlarm()
      tabs.post({ kind: 'event', name: 'alarm', detail: null })
    },
  })

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
      if (isAwake) sessions.connections()?.nudge()
      for (const session of sessions.all()) session.heed()
      freshCuts.retry()
      options.onTick(isAwake)
    },
  })

  const pausing = createSharedPausing({
    runtime,
    post: tabs.post,
    onChange(isPaused) {
      if (isPaused) sessions.connections()?.pause()
      else sessions.connections()?.resume()
      look()
    },
  })

  const telling = createHolderTelling({
    runtime,
    post: tabs.post,
    news: () => (tabs.isHolding ? news() : null),
  })

  const freshCuts = createFreshCuts({
    isHolding: () => tabs.isHolding,
    connections: sessions.begun,
    read: quorum?.read ?? 1,
    seen: () => state.seen,
    post: tabs.post,
    drawName: () => engine.drawWriter(),
  })

  function advance(connection: Connection): void {
    connection.session()?.advance()
  }

  function news(): HolderNews {
    const connections = sessions.connections()
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
      levels: relayNews.levels(),
      quorum: relayNews.quorum(),
      user: relayNews.user(),
      owner: options.owner.user,
      pausing: pausing.said(),
    }
  }

  function hold(): void {
    options.onHold()
    if (isStarted) connect()
  }

  function connect(): void {
    sessions.open(pausing.said().isPaused)
    look()
  }

  function lose(): void {
    sessions.close()
    options.onLost()
    options.onChange()
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

  function hear(message: TabMessage): void {
    switch (message.kind) {
      case 'holder':
        if (tabs.isHolding) return
        relayNews.learn(message)
        if (message.owner !== undefined) options.owner.learn(message.owner)
        engine.clock.adopt(message.clockOffsetMs)
        pausing.heed(message.pausing)
        return options.onChange()
      case 'pausing':
        return pausing.heed(message.pausing)
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

  function infoOfHolder(): ConnectionInfo {
    if (isAway) return nobodyHeard
    if (tabs.isHolding) return sessions.connections()?.info() ?? nothingTold
    if (pausing.said().isPaused) return { connection: 'paused', reason: undefined, caughtUp: false }
    return tabs.holder ?? nothingTold
  }

  return {
    info() {
      const { connection, reason, caughtUp } = infoOfHolder()
      return { connection, reason, caughtUp }
    },
    relays: () => (tabs.isHolding ? sessions.connections()?.relays() : tabs.holder?.relays) ?? [],
    isLevel() {
      if (tabs.isHolding) return sessions.connections()?.info().caughtUp === true
      const { holder } = tabs
      return holder !== null && isLevelNews(holder) && state.seen >= holder.seen
    },
    askCut: freshCuts.ask,
    levels: relayNews.levels,
    user: () => options.owner.user ?? relayNews.user(),
    sessionFence: sessions.fence,
    inTurn: sessions.inTurn,
    begin: tabs.begin,
    start() {
      isStarted = true
      if (tabs.isHolding && sessions.connections() === null) connect()
    },
    note() {
      const { seen, outbox } = state
      // Who only reads has nothing to count, at each change that comes.
      const isEmpty = outbox.size === 0
      const stored = isEmpty ? 0 : outbox.size - outbox.counts.unstored
      // Of what is not on disk yet no session has anything to say.
      if (seen !== advanced.seen || stored !== advanced.stored) {
        advanced = { seen, stored }
        sessions.begun().forEach(advance)
      }
      const isPending = !isEmpty && engine.pending() > 0
      const isNews = noted === null || noted.isPending !== isPending || noted.seen !== seen
      // Of one more own write others are told nothing but how many wait for which relay, and that when it is time.
      if (!isNews && (telling.owesCounts() || options.relays.length === 0)) return options.onChange()
      noted = { isPending, seen }
      look()
    },
    pause() {
      if (!pausing.said().isPaused) pausing.say(true)
    },
    resume: () => pausing.say(false),
    nudge: () => sessions.connections()?.nudge(),
    leave() {
      isAway = true
      tabs.leave()
    },
    back() {
      isAway = false
      tabs.back()
    },
    async close() {
      isAway = true
      telling.stop()
      tabs.close()
      await sessions.settled()
    },
  }
}
