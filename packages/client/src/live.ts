/**
 * The one interface of everything that is live: queries, conflicts, quarantine, status.
 *
 * Whoever holds a live value can read it at any time and be told of its changes; a binding needs to know nothing
 * else. What is told is always whole: a listener never sees half of a transaction or of a batch that arrived.
 */
import type { Changes } from './changes.ts'

export interface Live<T> {
  /** The value as of now. The same reference for as long as nothing in it changed. */
  get(): T
  /**
   * Calls back once before it returns, with the value as of now, and then after every change, once for each tick.
   * Returns how to stop. What a listener throws is thrown again as an uncaught error of its own; others still hear.
   */
  subscribe(listener: (value: T) => void): () => void
}

export interface LiveSource<T> {
  /** Computes the value; gives back the previous one if nothing in it changed. */
  read(previous: T | undefined): T
  /** Begins to keep up, with the first subscriber. Returns how to stop, which is done with the last. */
  readonly open?: (() => () => void) | undefined
}

/** A live value over a source. It holds on to nothing but its last value while nobody is subscribed. */
export function createLive<T>(changes: Changes, source: LiveSource<T>): Live<T> {
  /** Another list when somebody comes or goes, which is seldom, and none of its own for each change. */
  let subscriptions: readonly Subscription<T>[] = []
  let known: T | undefined
  /** As of which version that is. */
  let knownAt = -1
  let stop: (() => void) | null = null

  function get(): T {
    const { version } = changes
    if (knownAt !== version) {
      known = source.read(known)
      knownAt = version
    }
    return known as T
  }

  function tell(): void {
    const value = get()
    const called = subscriptions
    for (const subscription of called) {
      const isGone = called !== subscriptions && !subscriptions.includes(subscription)
      if (subscription.told === value || isGone) continue
      subscription.told = value
      callBack(subscription.listener, value)
    }
  }

  function open(): () => void {
    const close = source.open?.()
    const stopTelling = changes.onTell(tell)
    return () => {
      stopTelling()
      close?.()
    }
  }

  return {
    get,
    subscribe(listener) {
      checkListener(listener)
      stop ??= open()
      const value = get()
      const subscription = { listener, told: value }
      subscriptions = [...subscriptions, subscription]
      callBack(listener, value)
      return () => {
        subscriptions = subscriptions.filter(one => one !== subscription)
        if (subscriptions.length > 0) return
        stop?.()
        stop = null
      }
    },
  }
}

interface Subscription<T> {
  readonly listener: (value: T) => void
  told: T
}

/** Throws a TypeError where it is called, and not at each change, when nobody knows any more whose it is. */
export function checkListener(listener: unknown): void {
  if (typeof listener !== 'function') throw new TypeError('a listener is a function')
}

/** What a listener throws is its application's to see, and nobody else's to suffer from. */
export function callBack<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
