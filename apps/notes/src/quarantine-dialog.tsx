/** Changes that a relay refused. They wait here, whole, until a person throws them away or sends them again. */
import type { QuarantinedItem, QuarantinedWrite } from '@rejoin/client'
import { useEffect, useState, type ReactNode } from 'react'
import { Dialog } from './dialog.tsx'
import { useLive } from './live.ts'
import { showMoment } from './moment.ts'
import { explainRefusal } from './reason-words.ts'
import { useReplica } from './replica-context.ts'
import { showTitle } from './schema.ts'

export function QuarantineDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const replica = useReplica()
  const items = useLive(replica.quarantine)
  const isEmpty = items.length === 0
  useEffect(() => {
    if (isEmpty) onClose()
  }, [isEmpty, onClose])
  return (
    <Dialog title="Refused changes" testId="quarantine" onClose={onClose}>
      <p className="hint">These did not reach the others. They stay on this device until you decide.</p>
      <ul className="refused-list">
        {items.map(item => (
          <Refused key={item.id} item={item} />
        ))}
      </ul>
    </Dialog>
  )
}

function Refused({ item }: { readonly item: QuarantinedItem }): ReactNode {
  const replica = useReplica()
  const [problem, setProblem] = useState('')
  const [isBusy, setBusy] = useState(false)
  const [now] = useState(() => Date.now())

  const decide = (decision: () => Promise<void>): void => {
    setBusy(true)
    setProblem('')
    decision().catch((error: unknown) => {
      setProblem(error instanceof Error ? error.message : String(error))
      setBusy(false)
    })
  }
  const discard = (): void => decide(() => replica.quarantine.discard(item.id))
  const sendAgain = (): void =>
    decide(async () => {
      await replica.quarantine.sendAgain(item.id)
    })

  return (
    <li className="refused" data-testid="quarantine-item">
      {item.writes.map(write => (
        <p key={`${write.id} ${write.kind}`} className="refused-what">
          {describeWrite(write, replica.notes.get(write.id)?.title)}
        </p>
      ))}
      <p className="refused-why" title={item.why}>
        {explainRefusal(item)} <span className="hint">{showMoment(item.at, now)}</span>
      </p>
      {problem !== '' && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <div className="dialog-actions">
        <button
          type="button"
          className="button"
          data-testid="quarantine-discard"
          disabled={isBusy}
          onClick={discard}
        >
          Discard
        </button>
        <button
          type="button"
          className="button is-primary"
          data-testid="quarantine-send"
          disabled={isBusy}
          onClick={sendAgain}
        >
          Send again
        </button>
      </div>
    </li>
  )
}

function describeWrite(write: QuarantinedWrite, title: string | undefined): string {
  const written = write.values['title']
  const name = `“${showTitle(title ?? (typeof written === 'string' ? written : ''))}”`
  if (write.kind === 'delete') return `Deleting ${name}`
  if (write.kind === 'undelete') return `Bringing back ${name}`
  if (write.kind === 'insert') return `A new note, ${name}`
  const fields = [...Object.keys(write.values), ...write.texts].map(field =>
    field === 'body' ? 'text' : field,
  )
  return `${name}: ${fields.join(', ')}`
}
