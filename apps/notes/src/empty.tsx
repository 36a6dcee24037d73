/** What is shown where there is nothing, which says why, and what could be done about it. */
import type { Status } from '@rejoin/client'
import type { ReactNode } from 'react'

export function EmptyList({
  status,
  search,
}: {
  readonly status: Status
  readonly search: string
}): ReactNode {
  if (search !== '') {
    return (
      <p className="empty" data-testid="empty-search">
        No title or tag matches “{search}”.
      </p>
    )
  }
  const mayCome = status.connection === 'connecting' || status.connection === 'catching-up'
  return (
    <div className="empty" data-testid="empty-list">
      <p className="empty-headline">{mayCome ? 'Nothing on this device yet' : 'No notes yet'}</p>
      <p>
        {mayCome
          ? 'What is on the relay will appear here by itself. You need not wait for it to write.'
          : 'Write the first one. It needs no network.'}
      </p>
    </div>
  )
}

export function NoNoteOpen({
  isUnknown,
  onNew,
}: {
  readonly isUnknown: boolean
  readonly onNew: () => void
}): ReactNode {
  return (
    <div className="no-note" data-testid="no-note">
      <svg viewBox="0 0 120 72" width="120" height="72" aria-hidden="true" focusable="false">
        <path className="strand" d="M4 18c34 0 34 18 56 18h56" />
        <path className="strand is-second" d="M4 54c34 0 34-18 56-18" />
        <circle cx="60" cy="36" r="4" />
      </svg>
      {isUnknown ? (
        <>
          <p className="empty-headline">This note is not here</p>
          <p>It was deleted, or it has not arrived yet.</p>
        </>
      ) : (
        <>
          <p className="empty-headline">Pick a note, or begin one</p>
          <p>
            <kbd>n</kbd> new · <kbd>/</kbd> search · <kbd>?</kbd> all keys
          </p>
        </>
      )}
      <button type="button" className="button" onClick={onNew}>
        New note
      </button>
    </div>
  )
}
