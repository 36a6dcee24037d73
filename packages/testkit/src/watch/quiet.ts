/**
 * Quiet: nothing goes on without end (V10). At rest little happens, and at no time does somebody do one thing over and
 * over as fast as it can.
 */
import type { Cluster } from '../cluster.ts'

/** Far more than a cluster does that catches up. */
const eventsMax = 20_000
/** Of each tab and link: heartbeats, looks at disks, and cuts that answer. */
const restingMax = 100
/** A compaction is hundreds of steps where each takes three rows. */
const restingInStepsMax = 400
/** Chunks of writes that are made anew, however many relays refuse them. */
const remadeMax = 100

/** Lets time pass, and says what went on in it without end. `isRest`: ten seconds at rest, or a part of them. */
export async function passQuietly(
  { clock, network, relays, tabs, paths, comesInSteps }: Cluster,
  ms: number,
  isRest: boolean,
): Promise<string[]> {
  const before = clock.steps
  const remadeBefore = paths.remade
  await clock.advance(ms)
  const events = clock.steps - before
  const links = relays.reduce((sum, { url }) => sum + network.openLinks(url), 0)
  const resting = comesInSteps ? restingInStepsMax : restingMax
  const most = isRest ? resting * (links + tabs.length) : eventsMax
  const remade = paths.remade - remadeBefore
  if (remade > remadeMax) return [`[V10] writes are made anew without end: ${remade} times in ${ms} ms`]
  return events > most ? [`[V10] something goes on without end: ${events} events in ${ms} ms`] : []
}
