/**
 * A stage for the contract of links: an address of its own, what came at both ends of its links, and a way to wait that
 * needs no time to be guessed.
 */
import type { Connect, Link } from '@rejoin/core'

export interface LinkHarness {
  readonly connect: Connect
  /** Takes links at an address of its own. `take` is called for each that comes. */
  readonly serve: (take: TakeLink) => Promise<ServedAddress>
  /** URLs at which nobody takes links: no listener, no such name, no URL at all. */
  readonly unreachable: readonly string[]
  /** Sees to it that time passes until a promise settles. Real time passes by itself. */
  readonly settle: <T>(promise: Promise<T>) => Promise<T>
}

export interface ServedAddress {
  readonly url: string
  /** Every link of it breaks without a goodbye, as when a process is killed. */
  readonly vanish: () => void
  readonly close: () => Promise<void>
}

/** Called with the other end of a link; answers with what is to be told of it. */
export type TakeLink = (end: FarEnd) => FarEvents

export interface FarEnd {
  readonly send: (bytes: Uint8Array) => void
  readonly close: (code: number, reason: string) => void
}

export interface FarEvents {
  readonly frame: (bytes: Uint8Array) => void
  readonly closed: () => void
}

/** What came at one end, in order. */
export interface Heard {
  readonly frames: Uint8Array[]
  /** `opened`, `frame`, `closed 4001 why`. */
  readonly told: string[]
}

export interface Near extends Heard {
  link: Link | null
  readonly giveUp: () => void
}

export interface Far extends Heard {
  readonly end: FarEnd
}

export interface Stage {
  readonly fars: readonly Far[]
  readonly vanish: () => void
  /** Asks for a link, to the stage's own address unless told otherwise. */
  call(reactions?: Reactions, url?: string): Near
  /** A link that is open at both ends. */
  open(reactions?: Reactions): Promise<{ readonly near: Near; readonly link: Link; readonly far: Far }>
  until(condition: () => boolean): Promise<void>
  /** What was under way when it was called has arrived when it resolves. */
  later(): Promise<void>
}

export interface Reactions {
  readonly opened?: (link: Link) => void
  readonly frame?: () => void
  /** What the other end does with a link that it took. */
  readonly taken?: (end: FarEnd) => void
}

export async function withStage(harness: LinkHarness, run: (stage: Stage) => Promise<void>): Promise<void> {
  const fars: Far[] = []
  const takers: ((end: FarEnd) => void)[] = []
  const links = new Set<Link>()
  const checks = new Set<() => void>()
  const ring = (): void => {
    for (const check of checks) check()
  }
  const address = await harness.settle(
    harness.serve(end => {
      const far: Far = { frames: [], told: [], end }
      fars.push(far)
      takers.shift()?.(end)
      ring()
      return {
        frame(bytes) {
          far.frames.push(bytes)
          far.told.push('frame')
          ring()
        },
        closed() {
          far.told.push('closed')
          ring()
        },
      }
    }),
  )
  // Answers every frame with the same, on links that no claim knows of.
  const echo = await harness.settle(harness.serve(end => ({ frame: end.send, closed: () => {} })))

  function until(condition: () => boolean): Promise<void> {
    const met = new Promise<void>(resolve => {
      const check = (): void => {
        if (!condition()) return
        checks.delete(check)
        resolve()
      }
      checks.add(check)
      check()
    })
    return harness.settle(met)
  }

  function call(reactions: Reactions = {}, url: string = address.url): Near {
    const frames: Uint8Array[] = []
    const told: string[] = []
    takers.push(end => reactions.taken?.(end))
    const near: Near = {
      frames,
      told,
      link: null,
      giveUp: harness.connect(url, {
        opened(link) {
          links.add(link)
          near.link = link
          told.push('opened')
          reactions.opened?.(link)
          ring()
        },
        frame(bytes) {
          frames.push(bytes)
          told.push('frame')
          reactions.frame?.()
          ring()
        },
        closed(code, reason) {
          told.push(`closed ${code} ${reason}`)
          ring()
        },
      }),
    }
    return near
  }

  const stage: Stage = {
    fars,
    vanish: address.vanish,
    call,
    until,
    async open(reactions) {
      const taken = fars.length
      const near = call(reactions)
      await until(() => near.link !== null && fars.length > taken)
      const far = fars[taken]
      if (near.link === null || far === undefined)
        throw new Error('invariant broken: it is open at both ends')
      return { near, link: near.link, far }
    },
    async later() {
      let rounds = 0
      const done = new Promise<void>((resolve, reject) => {
        let link: Link | null = null
        harness.connect(echo.url, {
          opened(opened) {
            link = opened
            link.send(fill(1))
          },
          frame() {
            rounds += 1
            if (rounds < 3) return link?.send(fill(1))
            link?.close()
          },
          closed: () => (rounds < 3 ? reject(new Error('the echo went away')) : resolve()),
        })
      })
      await harness.settle(done)
    },
  }
  try {
    await run(stage)
  } finally {
    for (const link of links) link.close()
    await harness.settle(Promise.all([address.close(), echo.close()]))
  }
}

/** Bytes of every value in no simple order, so that a lost or swapped piece shows. */
export function fill(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    bytes[i] = state >>> 24
  }
  return bytes
}
