/** How far one's changes are, and the switch that cuts the connection on purpose. */
import { useEffect, useState, type ReactNode } from 'react'
import { LinkGlyph } from './link-glyph.tsx'
import { useLive } from './live.ts'
import { useReplica } from './replica-context.ts'
import { describeStatus } from './status-words.ts'

export function StatusBar(): ReactNode {
  const { replica, tracker } = useReplica()
  const status = useLive(replica.status)
  const unsaved = useLive(tracker.unsaved)
  const now = useSlowClock(status.pending > 0)
  const { mood, headline, detail } = describeStatus(status, unsaved, now)
  const isPaused = status.connection === 'paused'

  return (
    <footer className="status-bar" data-mood={mood}>
      <LinkGlyph connection={status.connection} isHolding={status.pending > 0 || unsaved > 0} />
      <div
        className="status-words"
        data-testid="status"
        data-connection={status.connection}
        role="status"
        aria-live="polite"
      >
        <span className="status-headline">{headline}</span>
        <span className="status-detail">{detail}</span>
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

/** The time, fresh enough for words like "for 3 min"; stands still while nobody needs it. */
function useSlowClock(isRunning: boolean): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    setNow(Date.now())
    if (!isRunning) return
    const timer = setInterval(() => setNow(Date.now()), 20_000)
    return () => clearInterval(timer)
  }, [isRunning])
  return now
}
