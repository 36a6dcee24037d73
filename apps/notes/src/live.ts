/** The one bridge between what is live in a replica and what React shows. */
import { useCallback, useSyncExternalStore } from 'react'

/** What everything live has: what it is now, and a call after each change. */
export interface Watchable<Value> {
  get(): Value
  subscribe(listener: (value: Value) => void): () => void
}

/** The present value of something live; the component is rendered again whenever it changes. */
export function useLive<Value>(live: Watchable<Value>): Value {
  const subscribe = useCallback((listener: () => void) => live.subscribe(listener), [live])
  const get = useCallback(() => live.get(), [live])
  return useSyncExternalStore(subscribe, get)
}
