/**
 * The link of a client whose uplink can be held: what it submits waits, in order, until as much as is wanted is let
 * go; what comes down is never held. So a test decides how much of what one client wrote the others have. It is the
 * latency of a network, without its chance.
 */
import { connectWebSocket, deflating } from '@rejoin/client'
import { createDictionary, decodeFrame, type Connect, type Link } from '@rejoin/core'

export interface HeldUplink {
  readonly connect: Connect
  /** Transactions that wait. */
  readonly held: number
  /** Resolves when so many transactions wait. */
  untilHeld(transactions: number): Promise<void>
  /** Lets the first of them go, and what came between. */
  release(transactions: number): void
  /** Lets everything go from now on, also over the next connection, until `hold`. */
  open(): void
  hold(): void
}

export function createHeldUplink(): HeldUplink {
  let queue: { readonly bytes: Uint8Array; readonly transactions: number }[] = []
  let link: Link | null = null
  let names = createDictionary()
  let isHolding = false
  let waiting: { readonly transactions: number; readonly resolve: () => void } | null = null

  const count = (): number => queue.reduce((sum, { transactions }) => sum + transactions, 0)

  function send(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes, names)
    const transactions = frame.ok && frame.value.type === 'submit' ? frame.value.transactions.length : 0
    if (!isHolding || (transactions === 0 && queue.length === 0)) return link?.send(bytes)
    queue.push({ bytes, transactions })
    if (waiting !== null && count() >= waiting.transactions) {
      waiting.resolve()
      waiting = null
    }
  }

  function letGo(transactions: number): void {
    let left = transactions
    while (queue[0] !== undefined && queue[0].transactions <= left) {
      left -= queue[0].transactions
      link?.send(queue[0].bytes)
      queue.shift()
    }
    if (left > 0 && left !== Number.POSITIVE_INFINITY)
      throw new Error(`${left} transactions are not there, or not apart`)
  }

  return {
    connect(url, events) {
      return deflating(connectWebSocket)(url, {
        opened(opened) {
          link = opened
          names = createDictionary()
          events.opened({ ...opened, send })
        },
        frame: events.frame,
        closed(code, reason) {
          queue = []
          link = null
          events.closed(code, reason)
        },
      })
    },
    get held() {
      return count()
    },
    untilHeld: transactions =>
      new Promise(resolve => {
        if (count() >= transactions) resolve()
        else waiting = { transactions, resolve }
      }),
    release: letGo,
    open() {
      isHolding = false
      letGo(Number.POSITIVE_INFINITY)
    },
    hold() {
      isHolding = true
    },
  }
}
