/** One note in the list: a slip of paper in the note's colour, with what needs attention at its edge. */
import { memo, type MouseEvent, type ReactNode } from 'react'
import { Icon } from './icons.tsx'
import { showDay } from './moment.ts'
import type { Note } from './replica.ts'
import { linkToNote, openNote } from './route.ts'
import { showColour, showTitle } from './schema.ts'

export interface NoteItemProps {
  readonly note: Note
  readonly isOpen: boolean
  /** Whether the tab key leads here. */
  readonly isReachable: boolean
  readonly isPending: boolean
  readonly isConflicting: boolean
  readonly onEnter: (id: string) => void
}

export const NoteItem = memo(function NoteItem(props: NoteItemProps): ReactNode {
  const { note, isOpen, isReachable, isPending, isConflicting, onEnter } = props
  const open = (event: MouseEvent<HTMLAnchorElement>): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    openNote(note.id, isOpen ? 'replace' : 'push')
    // Only the keyboard activates a link without a click of its own; whoever presses Enter wants to write.
    if (event.detail === 0) onEnter(note.id)
  }
  return (
    <li>
      <a
        href={linkToNote(note.id)}
        className="note-item"
        data-testid="note-item"
        data-note-id={note.id}
        data-colour={showColour(note.colour)}
        aria-current={isOpen ? 'true' : undefined}
        tabIndex={isReachable ? 0 : -1}
        onClick={open}
      >
        <span className={note.title.trim() === '' ? 'note-item-title is-empty' : 'note-item-title'}>
          {showTitle(note.title)}
        </span>
        <span className="note-item-marks">
          {note.pinned && (
            <span className="mark" role="img" aria-label="Pinned" title="Pinned">
              <Icon name="pin" />
            </span>
          )}
          {isConflicting && (
            <span className="mark is-conflict" role="img" aria-label="Two titles" title="Two titles: decide">
              <Icon name="fork" />
            </span>
          )}
          {isPending && (
            <span
              className="mark pending-dot"
              data-testid="note-pending"
              role="img"
              aria-label="Changes not yet on a relay"
              title="Changes not yet on a relay"
            />
          )}
        </span>
        <span className="note-item-detail">
          {note.created > 0 && <span>{showDay(note.created, Date.now())}</span>}
          {note.tags.map(tag => (
            <span className="tag-word" key={tag}>
              #{tag}
            </span>
          ))}
        </span>
      </a>
    </li>
  )
})
