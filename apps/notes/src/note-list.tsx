/**
 * The list of notes: links, so that they can be opened in another tab, of which one at a time is in the tab order.
 * Arrow keys walk through them; where list and note are side by side, the note follows.
 */
import { useState, type KeyboardEvent, type ReactNode } from 'react'
import { NoteItem } from './note-item.tsx'
import type { Note } from './replica.ts'
import { openNote } from './route.ts'

const pageSize = 200
const sideBySide = '(min-width: 721px)'

export interface NoteListProps {
  readonly notes: readonly Note[]
  readonly openId: string | null
  readonly pendingIds: ReadonlySet<string>
  readonly conflictIds: ReadonlySet<string>
  readonly onDelete: (note: Note) => void
  /** Called when the keyboard asks to write in the note and not only to look at it. */
  readonly onEnter: (id: string) => void
}

export function NoteList(props: NoteListProps): ReactNode {
  const { notes, openId, pendingIds, conflictIds, onDelete, onEnter } = props
  const [shown, setShown] = useState(pageSize)
  const visible = notes.slice(0, shown)
  const reachable = visible.some(note => note.id === openId) ? openId : visible[0]?.id

  const walk = (event: KeyboardEvent<HTMLUListElement>): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>('a[data-note-id]')]
    const at = links.indexOf(document.activeElement as HTMLAnchorElement)
    if (at < 0) return
    if (event.key === 'Delete') {
      event.preventDefault()
      const note = visible.find(({ id }) => id === links[at]?.dataset['noteId'])
      const next = links[at + 1] ?? links[at - 1]
      if (note !== undefined) onDelete(note)
      next?.focus()
      return
    }
    const to = stepTo(event.key, at, links.length)
    const link = to === null ? undefined : links[to]
    if (link === undefined) return
    event.preventDefault()
    link.focus()
    if (matchMedia(sideBySide).matches) openNote(link.dataset['noteId'] ?? null, 'replace')
  }

  return (
    <>
      <ul className="note-list" data-testid="note-list" aria-label="Notes" onKeyDown={walk}>
        {visible.map(note => (
          <NoteItem
            key={note.id}
            note={note}
            isOpen={note.id === openId}
            isReachable={note.id === reachable}
            isPending={pendingIds.has(note.id)}
            isConflicting={conflictIds.has(note.id)}
            onEnter={onEnter}
          />
        ))}
      </ul>
      {notes.length > shown && (
        <button type="button" className="quiet-button more" onClick={() => setShown(shown + pageSize)}>
          Show {Math.min(pageSize, notes.length - shown)} more
        </button>
      )}
    </>
  )
}

function stepTo(key: string, at: number, length: number): number | null {
  if (key === 'ArrowDown') return Math.min(at + 1, length - 1)
  if (key === 'ArrowUp') return Math.max(at - 1, 0)
  if (key === 'Home') return 0
  if (key === 'End') return length - 1
  return null
}
