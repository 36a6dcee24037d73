/** Who waits until nothing is on its way any more. */

export interface Settling {
  /** Resolves when it is so, at once if it is. Whoever does not wait for it hears nothing of its rejection. */
  settled(): Promise<void>
  /** It may be so now. */
  look(): void
  close(error: unknown): void
}

export function createSettling(isSettled: () => boolean): Settling {
  let waiting: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = []
  let closed: { readonly error: unknown } | null = null

  function look(): void {
    if (waiting.length === 0 || !isSettled()) return
    const all = waiting
    waiting = []
    for (const { resolve } of all) resolve()
  }

  return {
    settled() {
      const promise = new Promise<void>((resolve, reject) => {
        if (closed !== null) return reject(closed.error)
        waiting.push({ resolve, reject })
        look()
      })
      promise.catch(() => {})
      return promise
    },
    look,
    close(error) {
      closed = { error }
      for (const { reject } of waiting) reject(error)
      waiting = []
    },
  }
}
