/** Waiting, in a driver that shares its thread with the clients that it measures. */
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

/** Resolves when it holds. Looks again in every turn, so that what is measured is not the wait. */
export async function until(holds: () => boolean, what: string, deadlineMs: number = 120_000): Promise<void> {
  const deadline = performance.now() + deadlineMs
  for (let turns = 0; !holds(); turns++) {
    if (performance.now() > deadline) throw new Error(`waited for ${what}`)
    if (turns < 20) await turn()
    else await sleep(1)
  }
}

/** Calls `run` with each index at a steady rate, as exactly as this thread allows. */
export async function paced(count: number, perSecond: number, run: (index: number) => void): Promise<void> {
  const start = performance.now()
  for (let i = 0; i < count; i++) {
    const due = start + (i * 1000) / perSecond
    while (performance.now() < due) await (due - performance.now() > 2 ? sleep(1) : turn())
    run(i)
  }
}

/** Calls `run` with each index as fast as it goes, and lets the sockets have a turn after each hundred. */
export async function burst(count: number, run: (index: number) => void): Promise<void> {
  for (let i = 0; i < count; i++) {
    run(i)
    if (i % 100 === 99) await turn()
  }
}

export { sleep, turn }
