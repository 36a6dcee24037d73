/**
 * The tabs of one replica: which of them has the connection, and what they tell each other.
 *
 *   waiting -- lock granted --> holding -- stolen, fenced --> waiting
 *      |  \-- no beat for 6 s: steal, at most once a minute --^
 *      +--- leave / back (the page is put away) --- away
 *
 * The Web Lock says whose turn it is, the fence in the storage makes it safe: a tab that froze while it held the lock is
 * taken over, and whatever it still tries when it wakes collides. A beat is any word of the holder; a tab that heard
 * none for a while asks first, since timers of hidden pages are slowed down and messages are not.
 */
import type { Channel, LockRequest, Locks, OpenChannel, Runtime } from '@rejoin/core'
import { parseTabMessage, type HolderNews, type TabMessage } from './tab-message.ts'

export interface Tabs {
  readonly isHolding: boolean
  /** What the holder said last; null while nothing is known of one. */
  readonly holder: HolderNews | null
  /** Whether there may be another one: who got the lock at once, and has heard nobody since, is alone. */
  readonly mayHaveOthers: boolean
  /** Gets the lock if nobody has it, else waits for it. Whether it got it at once. */
  begin(): Promise<boolean>
  /** To all other tabs. */
  post(message: TabMessage): void
  /** Another tab has the fence: lets the lock go and waits for it again. */
  yield(): void
  /** The page is put away, perhaps for ever: lets go of everything that would keep it from that. */
  leave(): void
  back(): void
  close(): void
}

export interface TabsOptions {
  readonly name: string
  readonly runtime: Pick<Runtime, 'monotonic' | 'now' | 'after'>
  readonly locks: Locks
  readonly openChannel: OpenChannel
  readonly news: () => HolderNews
  readonly onHold: () => void
  readonly onLost: () => void
  /** A message of another tab; `holder` has been brought up to date. */
  readonly onMessage: (message: TabMessage) => void
  /** Every 2 s; `isAwake` says that more time has passed than should have: the device slept, or the clock was set. */
  readonly onTick: (isAwake: boolean) => void
}

const beatMs = 2000
const missedMs = 3 * beatMs
const stealGapMs = 60_000
const jumpMs = 10_000

export function createTabs(options: TabsOptions): Tabs {
  const { name, runtime, locks } = options
  const lock = `${name} connection`
  let channel: Channel | null = null
  let request: LockRequest | null = null
  let release: (() => void) | null = null
  let turn = 0
  let isFenced = false
  let isClosed = false
  let beatAt = runtime.monotonic()
  let stolenAt = Number.NEGATIVE_INFINITY
  let tickedAt = runtime.monotonic()
  let tickedTime = runtime.now()
  let cancelTick = (): void => {}

  function ask(how: { readonly ifAvailable?: boolean; readonly steal?: boolean }): Promise<boolean> {
    const mine = ++turn
    return new Promise(resolve => {
      let isGranted = false
      const asked = locks.request(lock, how, got => {
        isGranted = got
        if (mine !== turn || isClosed || !got) {
          resolve(false)
          return Promise.resolve()
        }
        return new Promise<void>(letGo => {
          release = letGo
          hold()
          resolve(true)
        })
      })
      request = asked
      asked.done.catch(() => {
        if (mine === turn && !isClosed) {
          if (isGranted) lose()
          else holdWithoutLock()
        }
        resolve(tabs.isHolding)
      })
    })
  }

  /** The browser refuses its locks to this page: then beats and the fence have to do. */
  function holdWithoutLock(): void {
    tabs.mayHaveOthers = true
    isFenced = true
    release = () => {}
    hold()
  }

  /** Without a lock that other tabs can see, the fence is all there is: then whoever beats goes on. */
  function hold(): void {
    if (isFenced && runtime.monotonic() - beatAt < missedMs) return
    isFenced = false
    tabs.isHolding = true
    tabs.holder = null
    options.onHold()
  }

  /** Lets go, or notes that it was taken: then nobody is told that there is no holder, since there is another one. */
  function drop(isTaken: boolean): void {
    turn += 1
    request?.cancel()
    request = null
    if (tabs.isHolding && !isTaken) post({ kind: 'bye' })
    const wasHolding = tabs.isHolding
    tabs.isHolding = false
    release?.()
    release = null
    if (wasHolding) options.onLost()
  }

  function lose(): void {
    drop(true)
    void ask({})
  }

  function hear(received: unknown): void {
    // A newcomer asks; who is of another version, and says what this one does not know, is there too.
    tabs.mayHaveOthers = true
    const message = parseTabMessage(received)
    if (message === null || isClosed) return
    if (message.kind === 'holder') {
      beatAt = runtime.monotonic()
      // Two that both believe to hold are parted by the fence; until then each knows best of its own.
      if (!tabs.isHolding) tabs.holder = message
    } else if (message.kind === 'bye') {
      tabs.holder = null
      isFenced = false
      if (release !== null && !tabs.isHolding) hold()
    } else if (message.kind === 'ask' && tabs.isHolding) {
      post(options.news())
    }
    options.onMessage(message)
  }

  function post(message: TabMessage): void {
    channel?.post(message)
  }

  function listen(): void {
    channel ??= options.openChannel(`${name} tabs`, hear)
    beatAt = runtime.monotonic()
    tickedAt = runtime.monotonic()
    tickedTime = runtime.now()
    post({ kind: 'ask' })
    cancelTick()
    cancelTick = runtime.after(beatMs, tick)
  }

  /** What the holder said last is of a time that goes on without this tab. */
  function leave(): void {
    drop(false)
    tabs.holder = null
    cancelTick()
    channel?.close()
    channel = null
  }

  function tick(): void {
    cancelTick = runtime.after(beatMs, tick)
    const now = runtime.monotonic()
    const slept = now - tickedAt - beatMs
    const jumped = Math.abs(runtime.now() - tickedTime - (now - tickedAt))
    tickedAt = now
    tickedTime = runtime.now()
    if (tabs.isHolding) post(options.news())
    else if (slept > beatMs) beatAt = now
    else watchHolder(now)
    options.onTick(slept > jumpMs || jumped > jumpMs)
  }

  function watchHolder(now: number): void {
    if (now - beatAt < 2 * beatMs) return
    if (now - beatAt < missedMs + beatMs) return post({ kind: 'ask' })
    tabs.holder = null
    if (release !== null) return hold()
    if (now - stolenAt < stealGapMs) return
    stolenAt = now
    beatAt = now
    drop(false)
    void ask({ steal: true })
  }

  const tabs = {
    isHolding: false,
    holder: null as HolderNews | null,
    mayHaveOthers: true,
    async begin() {
      tabs.mayHaveOthers = false
      listen()
      if (await ask({ ifAvailable: true })) return true
      tabs.mayHaveOthers = true
      // Perhaps the page was put away meanwhile.
      if (channel !== null) void ask({})
      return false
    },
    post,
    yield() {
      if (!tabs.isHolding) return
      isFenced = true
      lose()
    },
    leave,
    back() {
      if (isClosed) return
      tabs.mayHaveOthers = true
      listen()
      void ask({})
    },
    close() {
      if (isClosed) return
      leave()
      isClosed = true
    },
  }
  return tabs
}
