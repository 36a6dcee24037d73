/**
 * Two people renamed a note, and somebody decides. The dialog belongs to the note and not to one state of its
 * conflict: a side that arrives while it is open shows up, and a decision made elsewhere closes it.
 */
import { useEffect, useState, type FormEvent, type KeyboardEvent, type ReactNode } from 'react'
import { Dialog } from './dialog.tsx'
import { showFull, showMoment } from './moment.ts'
import { Avatar } from './person.tsx'
import { showTitle, titleLengthMax } from './schema.ts'
import type { TitleConflict } from './title-conflicts.ts'

export interface ConflictDialogProps {
  readonly conflict: TitleConflict
  readonly onPick: (side: number) => void
  readonly onWrite: (title: string) => void
  readonly onClose: () => void
}

export function ConflictDialog({ conflict, onPick, onWrite, onClose }: ConflictDialogProps): ReactNode {
  const [other, setOther] = useState('')
  const { sides, base } = conflict

  const write = (event: FormEvent): void => {
    event.preventDefault()
    if (other.trim() !== '') onWrite(other.trim())
  }
  // Digits choose a side, except where they are part of a title.
  const press = (event: KeyboardEvent): void => {
    if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return
    const side = Number(event.key) - 1
    if (Number.isInteger(side) && side >= 0 && side < sides.length) onPick(side)
  }

  return (
    <Dialog title="Which title?" testId="conflict-dialog" className="conflict-dialog" onClose={onClose}>
      <div className="stack" onKeyDown={press}>
        <p className="hint">
          This note was renamed in {sides.length === 2 ? 'two' : sides.length} places that had not heard of
          each other. Pick one title for everybody.
        </p>
        {base !== null && (
          <p className="conflict-base">
            Before: <strong>{showTitle(base.value)}</strong>
          </p>
        )}
        <ol className="conflict-sides">
          {sides.map((side, index) => (
            <li key={`${side.writer}-${side.when}`}>
              <Side side={side} index={index} onPick={onPick} />
            </li>
          ))}
        </ol>
        <form className="conflict-other" onSubmit={write}>
          <label className="field">
            <span>Or another title</span>
            <input
              data-testid="conflict-other"
              value={other}
              maxLength={titleLengthMax}
              onChange={event => setOther(event.target.value)}
            />
          </label>
          <button
            type="submit"
            className="button"
            data-testid="conflict-other-use"
            disabled={other.trim() === ''}
          >
            Use this
          </button>
        </form>
      </div>
    </Dialog>
  )
}

interface SideProps {
  readonly side: TitleConflict['sides'][number]
  readonly index: number
  readonly onPick: (side: number) => void
}

function Side({ side, index, onPick }: SideProps): ReactNode {
  const who = side.who ?? (side.mine ? 'You' : 'Somebody')
  const where = side.mine ? 'This device' : side.device
  const [now] = useState(() => Date.now())
  return (
    <button
      type="button"
      className="conflict-side"
      data-testid={`conflict-side-${index}`}
      data-first={index === 0 ? true : undefined}
      onClick={() => onPick(index)}
    >
      <span className="conflict-title">{showTitle(side.value)}</span>
      <kbd>{index + 1}</kbd>
      <span className="conflict-by">
        <Avatar name={who} />
        <span>
          <strong>{who}</strong>
          <span>
            {where === null ? '' : `${where} · `}
            <time dateTime={new Date(side.when).toISOString()} title={showFull(side.when)}>
              {showMoment(side.when, now)}
            </time>
          </span>
        </span>
      </span>
    </button>
  )
}

/** Closes a dialog whose conflict is gone. */
export function ConflictGone({ onGone }: { readonly onGone: () => void }): null {
  useEffect(onGone, [onGone])
  return null
}
