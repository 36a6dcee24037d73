/**
 * The token: asked for when it is needed, kept while relays take it, asked for anew when one does not. What the
 * application's function does wrong (it throws, hangs, gives no text) is one failed attempt and nothing more.
 */
import type { Runtime } from '@rejoin/core'

/** Gives what says to a relay who this is. */
export type Token = () => string | Promise<string>

export interface TokenSource {
  /** Rejects if there is none within 10 s, and when it is closed. */
  get(): Promise<string>
  /** A relay did not take it. */
  forget(): void
  close(): void
}

const tokenMs = 10_000

export function createTokenSource(runtime: Pick<Runtime, 'after'>, token: Token | undefined): TokenSource {
  let held: string | null = token === undefined ? '' : null
  /** Whoever comes meanwhile, after a pause, waits for the same answer. */
  let asking: Promise<string> | null = null
  let giveUp = (): void => {}

  async function ask(ask: Token): Promise<string> {
    const late = new Promise<never>((_, reject) => {
      const cancel = runtime.after(tokenMs, () => reject(new Error('`token` did not answer within 10 s')))
      giveUp = () => {
        cancel()
        reject(new Error('the replica was closed'))
      }
    })
    try {
      const found: unknown = await Promise.race([Promise.resolve().then(ask), late])
      if (typeof found !== 'string') throw new TypeError('`token` must give a string')
      return found
    } finally {
      giveUp()
    }
  }

  return {
    async get() {
      if (held !== null || token === undefined) return held ?? ''
      asking ??= ask(token).finally(() => {
        asking = null
      })
      return (held = await asking)
    },
    forget() {
      if (token !== undefined) held = null
    },
    close: () => giveUp(),
  }
}
