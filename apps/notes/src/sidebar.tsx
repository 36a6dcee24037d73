/** The left side: who and where one is, search, what asks for attention, and the list. */
import { useRef, type ReactNode } from 'react'
import { defaultSpace } from './configuration.ts'
import { EmptyList } from './empty.tsx'
import { Icon } from './icons.tsx'
import type { Identity } from './identity.ts'
import { useLive } from './live.ts'
import { NoteList } from './note-list.tsx'
import { Notices } from './notices.tsx'
import { Avatar, PersonHint } from './person.tsx'
import { useReplica } from './replica-context.ts'
import type { Note } from './replica.ts'

export interface SidebarProps {
  readonly space: string
  readonly identity: Identity
  readonly notes: readonly Note[]
  readonly openId: string | null
  readonly search: string
  readonly pendingIds: ReadonlySet<string>
  readonly conflictIds: ReadonlySet<string>
  readonly onSearch: (search: string) => void
  readonly onNew: () => void
  readonly onDelete: (note: Note) => void
  readonly onEnter: (id: string) => void
  readonly onDecide: () => void
  readonly onRefused: () => void
  readonly onPerson: () => void
  readonly onKeepName: () => void
  readonly onHelp: () => void
}

export function Sidebar(props: SidebarProps): ReactNode {
  const { space, identity, notes, openId, search, pendingIds, conflictIds } = props
  const status = useLive(useReplica().status)
  const list = useRef<HTMLDivElement>(null)

  return (
    <aside className="sidebar" aria-label="All notes">
      <header className="masthead">
        <h1>Notes {space !== defaultSpace && <span className="space-name">{space}</span>}</h1>
        <button
          type="button"
          className="icon-button keys-button"
          aria-label="Keyboard"
          onClick={props.onHelp}
        >
          <Icon name="keys" />
        </button>
        <button
          type="button"
          className="person-chip"
          data-testid="person"
          aria-label={`You are ${identity.name}. Change`}
          title={identity.name}
          onClick={props.onPerson}
        >
          <Avatar name={identity.name} />
        </button>
      </header>
      <div className="find">
        <search className="search">
          <Icon name="search" />
          <input
            id="search"
            type="search"
            data-testid="search"
            aria-label="Search titles and tags"
            placeholder="Search"
            autoComplete="off"
            value={search}
            onChange={event => props.onSearch(event.target.value)}
            onKeyDown={event => {
              if (event.key === 'Escape') props.onSearch('')
              if (event.key === 'ArrowDown' || event.key === 'Enter') {
                event.preventDefault()
                list.current?.querySelector<HTMLElement>('a[data-note-id]')?.focus()
              }
            }}
          />
        </search>
        <button
          type="button"
          className="button is-primary new-note"
          data-testid="new-note"
          onClick={props.onNew}
        >
          <Icon name="plus" />
          <span>New</span>
        </button>
      </div>
      <div className="notices">
        {!identity.kept && (
          <PersonHint name={identity.name} onKeep={props.onKeepName} onChange={props.onPerson} />
        )}
        <Notices conflicts={conflictIds.size} onDecide={props.onDecide} onRefused={props.onRefused} />
      </div>
      <nav className="list-area" aria-label="Notes" ref={list}>
        {notes.length === 0 ? (
          <EmptyList status={status} search={search} />
        ) : (
          <NoteList
            notes={notes}
            openId={openId}
            pendingIds={pendingIds}
            conflictIds={conflictIds}
            onDelete={props.onDelete}
            onEnter={props.onEnter}
          />
        )}
      </nav>
    </aside>
  )
}
