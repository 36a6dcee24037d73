/** A bound on how long something is waited for. */
import type { Runtime } from '@rejoin/core'

/** Runs, but resolves at the latest when the time is over. */
export async function within(
  runtime: Runtime,
  ms: number,
  run: (isLate: () => boolean) => Promise<void>,
): Promise<void> {
  let isLate = false
  let cancel: () => void = () => {}
  const late = new Promise<void>(resolve => {
    cancel = runtime.after(ms, () => {
      isLate = true
      resolve()
    })
  })
  try {
    await Promise.race([run(() => isLate), late])
  } finally {
    cancel()
  }
}
