/** Who one is to the others: a chip, a gentle first hint, and the place to change it. */
import { useState, type CSSProperties, type FormEvent, type ReactNode } from 'react'
import { Dialog } from './dialog.tsx'
import { cleanName, hueOf, initialsOf, nameLengthMax } from './identity.ts'

export function Avatar({ name }: { readonly name: string }): ReactNode {
  return (
    <span className="avatar" aria-hidden="true" style={{ '--hue': hueOf(name) } as CSSProperties}>
      {initialsOf(name)}
    </span>
  )
}

export interface PersonHintProps {
  readonly name: string
  readonly onKeep: () => void
  readonly onChange: () => void
}

/** Shown until it is answered; nothing waits for the answer. */
export function PersonHint({ name, onKeep, onChange }: PersonHintProps): ReactNode {
  return (
    <section className="notice" aria-label="Your name" data-testid="person-hint">
      <Avatar name={name} />
      <p>
        You are <strong>{name}</strong>. Others see this name beside what you write.
      </p>
      <div className="notice-actions">
        <button type="button" className="quiet-button" onClick={onChange}>
          Change
        </button>
        <button type="button" className="quiet-button" data-testid="keep-name" onClick={onKeep}>
          Keep
        </button>
      </div>
    </section>
  )
}

export interface PersonDialogProps {
  readonly name: string
  readonly device: string
  readonly onSave: (name: string) => void
  readonly onClose: () => void
}

export function PersonDialog({ name, device, onSave, onClose }: PersonDialogProps): ReactNode {
  const [draft, setDraft] = useState(name)
  const clean = cleanName(draft)
  const save = (event: FormEvent): void => {
    event.preventDefault()
    if (clean === '') return
    onSave(clean)
    onClose()
  }
  return (
    <Dialog title="Who you are" testId="person-dialog" onClose={onClose}>
      <form onSubmit={save} className="stack">
        <label className="field">
          <span>Name</span>
          <input
            data-first
            data-testid="person-name"
            value={draft}
            maxLength={nameLengthMax}
            autoComplete="nickname"
            onChange={event => setDraft(event.target.value)}
          />
        </label>
        <p className="hint">
          This device is “{device}”. The page opens again with the new name as soon as all that you have
          written under the old one is on the relay.
        </p>
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button is-primary" disabled={clean === ''}>
            Save
          </button>
        </div>
      </form>
    </Dialog>
  )
}
