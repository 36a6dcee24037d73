/**
 * The fence of this tab's sessions (journal/fence.ts): one for all of them, taken anew by whoever begins once it is lost.
 *
 * Invariant: a session ends as fenced only where another tab took over. What one of them lost by a fault of the store
 * was taken over by nobody, whatever the others meet; so all of them end by that fault.
 */
import type { RejoinError } from '@rejoin/core'
import type { ConversationEnd } from './conversation.ts'
import type { Fence } from './journal/fence.ts'

export interface SessionFence {
  /** Takes it, unless it is held. */
  hold(): Promise<Fence>
  /** Null where it is not held, or lost. */
  held(): Fence | null
  /** Why a conversation really ended. */
  explain(end: ConversationEnd): ConversationEnd
  release(): void
  /** Resolves when what was under way as it was released has ended, and whoever takes over need not fear it. */
  settled(): Promise<unknown>
}

export interface SessionFenceOptions {
  readonly take: () => Promise<Fence>
  /** Whether this tab has the lock. */
  readonly isHolding: () => boolean
}

export function createSessionFence({ take, isHolding }: SessionFenceOptions): SessionFence {
  let fence: Fence | null = null
  let taking: Promise<Fence> | null = null
  /** What the store did that left it open whether the fence still stands. */
  let fault: RejoinError | null = null

  function held(): Fence | null {
    return fence?.lost === false ? fence : null
  }

  return {
    async hold() {
      const standing = held()
      if (standing !== null) return standing
      taking ??= take().finally(() => {
        taking = null
      })
      fence = await taking
      fault = null
      // What is lost meanwhile guards nothing.
      if (!isHolding()) fence.release()
      return fence
    },
    held,
    explain(end) {
      if (end.kind === 'storage' && fence?.lost === true) fault = end.error
      return end.kind === 'fenced' && fault !== null ? { kind: 'storage', error: fault } : end
    },
    release: () => fence?.release(),
    settled: async () => fence?.settled(),
  }
}
