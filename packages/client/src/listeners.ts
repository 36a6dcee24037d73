/** Who is called when something happens, in the order in which they came. */
export interface Listeners<T> {
  /** Returns how to stop. */
  add(listener: (told: T) => void): () => void
  /** Those who listened when it began, and still do in their turn. */
  call(told: T): void
  readonly isEmpty: boolean
  clear(): void
}

/** A list that is made anew when somebody comes or goes, which is seldom, and not at each call, which is for each write. */
export function createListeners<T>(): Listeners<T> {
  let all: readonly { readonly listener: (told: T) => void }[] = []

  function change(to: typeof all): void {
    all = to
    listeners.isEmpty = to.length === 0
  }

  const listeners = {
    isEmpty: true,
    add(listener: (told: T) => void) {
      const own = { listener }
      change([...all, own])
      return () => change(all.filter(one => one !== own))
    },
    call(told: T) {
      const called = all
      for (let i = 0; i < called.length; i++) {
        const own = called[i]
        if (own !== undefined && (called === all || all.includes(own))) own.listener(told)
      }
    },
    clear: () => change([]),
  }
  return listeners
}
