/** What asks for a person: open conflicts, refused changes, and trouble with storage or access. */
import { useEffect, useState, type ReactNode } from 'react'
import { Icon } from './icons.tsx'
import { useLive } from './live.ts'
import { explainEviction, findWarning, type Warning } from './reason-words.ts'
import { useReplica } from './replica-context.ts'
import { countRefused } from './status-words.ts'

export interface NoticesProps {
  readonly conflicts: number
  readonly onDecide: () => void
  readonly onRefused: () => void
}

export function Notices({ conflicts, onDecide, onRefused }: NoticesProps): ReactNode {
  const status = useLive(useReplica().status)
  const evicted = useEviction()
  // What is wrong now matters more than what was lost before.
  const warning = (status.storage === undefined ? evicted : null) ?? findWarning(status)
  return (
    <>
      {warning !== null && (
        <section className="notice is-warning" role="alert" data-testid="warning">
          <Icon name="warning" />
          <p>
            <strong>{warning.title}.</strong> {warning.text}
          </p>
        </section>
      )}
      {status.quarantined > 0 && (
        <button type="button" className="badge is-refused" data-testid="quarantine-badge" onClick={onRefused}>
          <Icon name="stop" />
          <span>{countRefused(status.quarantined)}</span>
        </button>
      )}
      {conflicts > 0 && (
        <button type="button" className="badge is-conflict" data-testid="conflict-badge" onClick={onDecide}>
          <Icon name="fork" />
          <span>{conflicts === 1 ? '1 note has two titles' : `${conflicts} notes have two titles`}</span>
        </button>
      )}
    </>
  )
}

/** The browser threw the database away before this page was opened. */
function useEviction(): Warning | null {
  const replica = useReplica()
  const [warning, setWarning] = useState<Warning | null>(null)
  useEffect(
    () => replica.on('evicted', error => setWarning(explainEviction(error.details.unsent))),
    [replica],
  )
  return warning
}
