/** How far one's changes are, and the switch that cuts the connection on purpose. */
import { useEffect, useMemo, useState, type ReactNode } from 'react'
import { LinkGlyph } from './link-glyph.tsx'
import { useLive } from './live.ts'
import { useReplica } from './replica-context.ts'
import { describeStatus, type StatusWords } from './status-words.ts'

export function StatusBar(): ReactNode {
  const replica = useReplica()
  const status = useLive(replica.status)
  const now = useSlowClock(status.pending > 0) + status.clockOffsetMs
  const words = useMemo(() => describeStatus(status, now), [status, now])
  const { mood, headline, connection, waiting } = useUnhurried(words)
  const isPaused = status.connection === 'paused'

  return (
    <footer className="status-bar" data-mood={mood}>
      <LinkGlyph connection={status.connection} isHolding={mood !== 'good' && status.pending > 0} />
      <div className="status-words" data-testid="status" data-connection={status.connection}>
        <span className="status-headline">{headline}</span>
        <span className="status-detail">
          {/* Read out when it changes; the rest changes with every key, and can be read when it is wanted. */}
          <span role="status">{connection}</span>
          {waiting !== '' && ` · ${waiting}`}
        </span>
      </div>
      <output className="only-read" data-testid="pending-count" aria-hidden="true">
        {status.pending}
      </output>
      <label className="switch" title="Cut the connection on purpose; what you write stays on this device">
        <input
          type="checkbox"
          role="switch"
          data-testid="offline-switch"
          checked={isPaused}
          onChange={() => (isPaused ? replica.resume() : replica.pause())}
        />
        <span>Work offline</span>
      </label>
    </footer>
  )
}

const ranks = { busy: 0, wait: 1, good: 2 } as const
const restMs = 300
const clockMs = 2000

/** Bad news at once, good news when it has lasted: while somebody types, the words must neither lie nor flicker. */
function useUnhurried(words: StatusWords): StatusWords {
  const [shown, setShown] = useState(words)
  const isBetter = ranks[words.mood] > ranks[shown.mood]
  useEffect(() => {
    const timer = setTimeout(() => setShown(words), isBetter ? restMs : 0)
    return () => clearTimeout(timer)
  }, [words, isBetter])
  return isBetter ? shown : words
}

/** The time, fresh enough to notice a missing answer; stands still while nobody needs it. */
function useSlowClock(isRunning: boolean): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    setNow(Date.now())
    if (!isRunning) return
    const timer = setInterval(() => setNow(Date.now()), clockMs)
    return () => clearInterval(timer)
  }, [isRunning])
  return now
}
