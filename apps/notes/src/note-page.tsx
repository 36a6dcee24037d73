/** One note, open: its colour fills the sheet, and everything on it can be changed in place. */
import { useState, type ReactNode } from 'react'
import { BodyEditor } from './body-editor.tsx'
import { ColourPicker } from './colour-picker.tsx'
import { Icon } from './icons.tsx'
import type { Note } from './replica.ts'
import { showColour, showTitle } from './schema.ts'
import { TagEditor } from './tag-editor.tsx'
import { useNoteText, type OpenText } from './text-handle.ts'
import { TitleField } from './title-field.tsx'
import { useToast } from './toast.tsx'
import { useWriting } from './writing.ts'

export interface NotePageProps {
  readonly note: Note
  readonly knownTags: readonly string[]
  readonly isNew: boolean
  readonly isPending: boolean
  readonly isConflicting: boolean
  /** Rises when the keyboard asks to write in the note; 0 if it did not since the note was opened. */
  readonly focusRequest: number
  readonly onDelete: (note: Note) => void
  readonly onDecide: (noteId: string) => void
  readonly onLeave: () => void
}

export function NotePage(props: NotePageProps): ReactNode {
  const { note, knownTags, isNew, isPending, isConflicting, focusRequest, onDelete, onDecide, onLeave } =
    props
  const writing = useWriting()
  const toast = useToast()
  const open = useNoteText(note.id)
  const [bodyFocus, setBodyFocus] = useState(0)

  const retitle = (title: string, meanwhile: string | null): void => {
    writing.retitle(note.id, title)
    if (meanwhile === null) return
    // One has seen neither the other name nor a conflict, so it is said: nobody's title goes without a word.
    toast({
      text: `Meanwhile somebody named it “${showTitle(meanwhile)}”`,
      action: {
        label: 'Use that',
        testId: 'use-other-title',
        run: () => writing.retitle(note.id, meanwhile),
      },
    })
  }

  return (
    <article className="note-page" aria-label="Note">
      <div className="note-tools" role="group" aria-label="What to do with the note">
        <button
          type="button"
          className="icon-button back"
          aria-label="All notes"
          data-testid="back"
          onClick={onLeave}
        >
          <Icon name="back" />
        </button>
        <ColourPicker colour={showColour(note.colour)} onPick={colour => writing.paint(note.id, colour)} />
        <span className="note-state">
          {isPending && (
            <span className="pending-word" data-testid="note-pending-word">
              <span className="pending-dot" aria-hidden="true" /> Not yet on a relay
            </span>
          )}
        </span>
        <button
          type="button"
          className="icon-button"
          data-testid="note-pin"
          aria-label="Pin"
          aria-pressed={note.pinned}
          title={note.pinned ? 'Unpin' : 'Pin to the top'}
          onClick={() => writing.pin(note.id, !note.pinned)}
        >
          <Icon name="pin" />
        </button>
        <button
          type="button"
          className="icon-button"
          data-testid="note-delete"
          aria-label="Delete"
          title="Delete"
          onClick={() => onDelete(note)}
        >
          <Icon name="bin" />
        </button>
      </div>
      <div className="note-sheet">
        {isConflicting && (
          <button
            type="button"
            className="conflict-note"
            data-testid="note-conflict"
            onClick={() => onDecide(note.id)}
          >
            <Icon name="fork" />
            <span>
              This note has two titles. <span className="conflict-ask">Decide…</span>
            </span>
          </button>
        )}
        <TitleField
          title={note.title}
          isNew={isNew}
          onWrite={retitle}
          onDone={() => setBodyFocus(bodyFocus + 1)}
        />
        <TagEditor
          tags={note.tags}
          known={knownTags}
          onAdd={tag => writing.tag(note.id, { add: [tag] })}
          onRemove={tag => writing.tag(note.id, { remove: [tag] })}
        />
        <Body open={open} focusRequest={bodyFocus + focusRequest} onLeave={onLeave} />
      </div>
    </article>
  )
}

interface BodyProps {
  readonly open: OpenText | null
  readonly focusRequest: number
  readonly onLeave: () => void
}

function Body({ open, focusRequest, onLeave }: BodyProps): ReactNode {
  if (open === null) return <div className="body-loading" aria-hidden="true" />
  if (open.text === null) {
    return (
      <p className="problem" role="alert">
        The text of this note could not be opened: {open.problem}
      </p>
    )
  }
  return <BodyEditor text={open.text} focusRequest={focusRequest} onLeave={onLeave} />
}
