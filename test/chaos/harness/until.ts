/**
 * Waiting for a condition: it is asked again and again until it holds. Nothing here waits for time alone, and who
 * waits in vain is told for what.
 */
import { setTimeout as delay } from 'node:timers/promises'

const pollMs = 5

/** Resolves when the condition holds; rejects with the claim when the deadline has passed. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  claim: string | (() => string),
  deadlineMs: number = 20_000,
): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!(await condition())) {
    if (performance.now() > end) {
      throw new Error(`not within ${deadlineMs} ms: ${typeof claim === 'string' ? claim : claim()}`)
    }
    await delay(pollMs)
  }
}

/** The value of a promise, or an error that says for what was waited in vain. */
export async function within<T>(promise: Promise<T>, claim: string, deadlineMs: number = 20_000): Promise<T> {
  const late = new AbortController()
  try {
    return await Promise.race([
      promise,
      delay(deadlineMs, undefined, { signal: late.signal }).then(() => {
        throw new Error(`not within ${deadlineMs} ms: ${claim}`)
      }),
    ])
  } finally {
    late.abort()
  }
}
