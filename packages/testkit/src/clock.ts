/**
 * Simulated time: nothing happens but what was scheduled, in the order of its time, and between two events everything
 * that promises set going has come to rest. So a run depends on its seed alone, and an hour takes no time.
 */
export interface SimulatedClock {
  /** Milliseconds since the simulation began. */
  readonly time: number
  /** How many events have run. */
  readonly steps: number
  /** Runs once, after a delay. Returns how to cancel it. */
  after(delayMs: number, run: () => void): () => void
  /** Runs the next event and lets what it set going come to rest. False if nothing is scheduled. */
  step(): Promise<boolean>
  /** Runs everything that is due within this time from now; time is then that much later. */
  advance(ms: number): Promise<void>
  /** Time passes in which nothing happens; what was due meanwhile happens right after it. */
  leap(ms: number): void
}

interface Event {
  readonly at: number
  readonly order: number
  readonly run: () => void
  cancelled: boolean
}

/** Fields and no getters: an object with a getter of its own is slow to read, and time is read at every event. */
type Changing = { -readonly [Name in keyof SimulatedClock]: SimulatedClock[Name] }

export function createSimulatedClock(): SimulatedClock {
  const heap: Event[] = []
  let order = 0

  async function runNext(): Promise<boolean> {
    const event = pop(heap)
    if (event === undefined) return false
    if (event.cancelled) return runNext()
    clock.time = Math.max(clock.time, event.at)
    clock.steps += 1
    event.run()
    await rest()
    return true
  }

  function peek(): Event | undefined {
    while (heap[0]?.cancelled === true) pop(heap)
    return heap[0]
  }

  const clock: Changing = {
    time: 0,
    steps: 0,
    after(delayMs, run) {
      const event: Event = { at: clock.time + Math.max(0, delayMs), order: order++, run, cancelled: false }
      push(heap, event)
      return () => {
        event.cancelled = true
      }
    },
    step: runNext,
    async advance(ms) {
      const end = clock.time + ms
      await turn()
      for (let next = peek(); next !== undefined && next.at <= end; next = peek()) await runNext()
      clock.time = end
    },
    leap(ms) {
      clock.time += ms
    },
  }
  return clock
}

/** Until every promise that can settle has: what waits for the next tick is called when no job of a promise is left. */
function rest(): Promise<void> {
  return new Promise(resolve => {
    process.nextTick(resolve)
  })
}

/** A turn of the real event loop, without which it would not say which rejections nobody took. */
function turn(): Promise<void> {
  return new Promise(resolve => {
    setImmediate(resolve)
  })
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    const above = heap[parent]
    if (above === undefined || !isBefore(event, above)) break
    heap[at] = above
    at = parent
  }
  heap[at] = event
}

function pop(heap: Event[]): Event | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (first === undefined || last === undefined || heap.length === 0) return first
  let at = 0
  for (;;) {
    const left = heap[2 * at + 1]
    const right = heap[2 * at + 2]
    if (left === undefined) break
    const [child, index] =
      right !== undefined && isBefore(right, left) ? [right, 2 * at + 2] : [left, 2 * at + 1]
    if (!isBefore(child, last)) break
    heap[at] = child
    at = index
  }
  heap[at] = last
  return first
}
