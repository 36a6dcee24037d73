/**
 * A scope is something that can die or freeze: a tab, a relay's process. What it scheduled happens only while it
 * lives; while it is frozen, what is due waits, and happens when it thaws: one after the other, each an event of its
 * own, so that nobody acts on what one of them began and has not shown yet.
 */
import type { SimulatedClock } from './clock.ts'

export interface Scope {
  readonly alive: boolean
  readonly frozen: boolean
  /** Runs later, if the scope lives then. Returns how to cancel it. */
  after(delayMs: number, run: () => void): () => void
  freeze(): void
  thaw(): void
  /** Nothing of it happens any more, from this moment on. */
  kill(): void
  /** Returns how to stop waiting for it. */
  onKill(run: () => void): () => void
}

/** Fields and no getters, since it is asked at every event, and an object with a getter of its own is slow to read. */
type Changing = { -readonly [Name in keyof Scope]: Scope[Name] }

export function createScope(clock: SimulatedClock): Scope {
  let waiting: (() => void)[] = []
  const deaths = new Set<() => void>()

  function happen(run: () => void): void {
    if (!scope.alive) return
    if (scope.frozen) waiting.push(run)
    else run()
  }

  const scope: Changing = {
    alive: true,
    frozen: false,
    after(delayMs, run) {
      let cancelled = false
      const cancel = clock.after(delayMs, () => happen(() => void (cancelled || run())))
      return () => {
        cancelled = true
        cancel()
      }
    },
    freeze() {
      scope.frozen = true
    },
    thaw() {
      scope.frozen = false
      const due = waiting
      waiting = []
      for (const run of due) clock.after(0, () => happen(run))
    },
    kill() {
      if (!scope.alive) return
      scope.alive = false
      waiting = []
      for (const run of deaths) run()
    },
    onKill(run) {
      deaths.add(run)
      return () => void deaths.delete(run)
    },
  }
  return scope
}
