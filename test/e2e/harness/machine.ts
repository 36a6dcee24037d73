/**
 * How much of the machine others take. Limits in milliseconds hold on a machine that has time: where a thread that was
 * ready to run had to wait for a core, what it did took as many times longer, and so may what is waited for.
 */
import { readFileSync } from 'node:fs'

/** Call it at the end of what is measured: 1 on a machine that has time, 3 where work took three times as long. */
export function watchMachine(): () => number {
  const before = readTimes()
  return () => {
    const now = readTimes()
    const [ran, waited] = [now.ran - before.ran, now.waited - before.waited]
    return ran <= 0 ? 1 : (ran + waited) / ran
  }
}

/** The same, of this moment: by work that takes so many milliseconds of a processor. */
export function slownessNow(workMs: number = 100): number {
  const begun = performance.now()
  const before = process.cpuUsage()
  for (;;) {
    const { user, system } = process.cpuUsage(before)
    const ranMs = (user + system) / 1000
    if (ranMs >= workMs) return Math.max(1, (performance.now() - begun) / ranMs)
  }
}

/** Of this thread. Where the system does not tell, nothing was waited for. */
function readTimes(): { readonly ran: number; readonly waited: number } {
  try {
    const [ran = 0, waited = 0] = readFileSync(`/proc/${process.pid}/task/${process.pid}/schedstat`, 'utf8')
      .split(' ')
      .map(Number)
    return { ran, waited }
  } catch {
    return { ran: 0, waited: 0 }
  }
}
