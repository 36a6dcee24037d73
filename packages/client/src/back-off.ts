/**
 * Back-off with full jitter (Brooker, "Exponential Backoff And Jitter", 2015): a delay is drawn from all of the range
 * that doubles with each failure, so that those who were thrown out together do not come back together. The range is
 * never longer than it has failed for: after five seconds without a network nobody waits for fifteen more.
 */
import type { Runtime } from '@rejoin/core'

const baseMs = 500
const capMs = 30_000

/** Milliseconds to wait after so many failures in a row, 1 or more, of which the first was `failingMs` ago. */
export function backOffDelay(
  runtime: Pick<Runtime, 'randomBytes'>,
  failures: number,
  failingMs: number,
): number {
  const doubled = baseMs * 2 ** Math.min(failures - 1, 16)
  const range = Math.min(capMs, doubled, Math.max(baseMs, failingMs))
  return Math.round(range * drawFraction(runtime))
}

/** A relay's own "come back after", and up to half of it again. */
export function retryAfterDelay(runtime: Pick<Runtime, 'randomBytes'>, retryAfterMs: number): number {
  return Math.round(retryAfterMs + Math.max(baseMs, retryAfterMs / 2) * drawFraction(runtime))
}

function drawFraction(runtime: Pick<Runtime, 'randomBytes'>): number {
  const [high = 0, low = 0] = runtime.randomBytes(2)
  return (high * 256 + low) / 65_536
}
