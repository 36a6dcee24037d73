/**
 * What an application is asked it may never answer: who waits for that is told so, and lets go of what came (SPEC F5).
 */
import type { Runtime } from '@rejoin/core'

const answerMs = 10_000

/** Rejects if there is no answer in time. */
export async function answerOf<T>(runtime: Runtime, asked: T | Promise<T>): Promise<T> {
  let cancel = (): void => {}
  const late = new Promise<never>((_, reject) => {
    cancel = runtime.after(answerMs, () =>
      reject(new Error(`the application has not answered for ${answerMs} ms`)),
    )
  })
  try {
    return await Promise.race([asked, late])
  } finally {
    cancel()
  }
}
