/**
 * The whole app: the list on one side, the open note on the other, the status below. What is shown comes from the
 * replica; what is kept here is only what belongs to this screen.
 */
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { ConflictDialog, ConflictGone } from './conflict-dialog.tsx'
import { NoNoteOpen } from './empty.tsx'
import type { Identity } from './identity.ts'
import { useLive } from './live.ts'
import { NotePage } from './note-page.tsx'
import { collectTags, matchNotes, orderNotes } from './note-order.ts'
import { PersonDialog } from './person.tsx'
import { QuarantineDialog } from './quarantine-dialog.tsx'
import { useReplica } from './replica-context.ts'
import type { Note } from './replica.ts'
import { openNote, useOpenNote } from './route.ts'
import { showColour, showTitle } from './schema.ts'
import { ShortcutsDialog, useShortcuts } from './shortcuts.tsx'
import { Sidebar } from './sidebar.tsx'
import { StatusBar } from './status-bar.tsx'
import { useTitleConflicts, type TitleConflict } from './title-conflicts.ts'
import { useToast } from './toast.tsx'
import { useWriting } from './writing.ts'

export interface AppProps {
  readonly space: string
  readonly device: string
  readonly identity: Identity
  readonly onName: (name: string) => void
}

type OpenDialog =
  | { readonly kind: 'person' | 'quarantine' | 'shortcuts' }
  | { readonly kind: 'conflict'; readonly noteId: string }

export function App({ space, device, identity, onName }: AppProps): ReactNode {
  const replica = useReplica()
  const writing = useWriting()
  const toast = useToast()
  const query = useMemo(() => replica.notes.query(), [replica])
  const all = useLive(query)
  const pendingIds = useLive(replica.notes.pending)
  const conflicts = useTitleConflicts()
  const conflictIds = useMemo(() => new Set(conflicts.keys()), [conflicts])
  const openId = useOpenNote()
  const [search, setSearch] = useState('')
  const [newId, setNewId] = useState<string | null>(null)
  const [entered, setEntered] = useState({ id: '', times: 0 })
  const [dialog, setDialog] = useState<OpenDialog | null>(null)
  const sheet = useRef<HTMLElement>(null)

  const ordered = useMemo(() => orderNotes(all), [all])
  const shown = useMemo(() => matchNotes(ordered, search), [ordered, search])
  const knownTags = useMemo(() => collectTags(all), [all])
  const note = all.find(({ id }) => id === openId)
  const closeDialog = useCallback(() => setDialog(null), [])

  const add = (): void => {
    const id = writing.add()
    setSearch('')
    setNewId(id)
    openNote(id)
  }

  const remove = (doomed: Note): void => {
    const at = shown.findIndex(({ id }) => id === doomed.id)
    const neighbour = shown[at + 1] ?? shown[at - 1]
    writing.remove(doomed.id)
    if (doomed.id === openId) openNote(isNarrow() ? null : (neighbour?.id ?? null), 'replace')
    const undo = (): void => {
      writing.bringBack(doomed.id)
      openNote(doomed.id)
    }
    toast({
      text: `Deleted “${showTitle(doomed.title)}”`,
      action: { label: 'Undo', testId: 'undo-delete', run: undo },
    })
  }

  const leave = (): void => {
    if (isNarrow()) openNote(null, 'replace')
    else focusItem(openId)
  }

  const settle = (
    conflict: TitleConflict,
    resolution: { readonly pick: number } | { readonly value: string },
  ): void => {
    const handle = replica.conflicts.resolve(conflict, resolution)
    setDialog(null)
    const title = showTitle(replica.notes.get(conflict.id)?.title ?? '')
    toast({
      text:
        handle.outcome === 'settled' ? `The title is now “${title}”` : 'Somebody else has decided already',
    })
  }

  useShortcuts({
    onNew: add,
    onSearch: () => document.getElementById('search')?.focus(),
    onOffline: () => (replica.status.get().connection === 'paused' ? replica.resume() : replica.pause()),
    onHelp: () => setDialog({ kind: 'shortcuts' }),
  })
  useScreenChange(openId, sheet)
  useEffect(() => {
    // A note is new until one has been elsewhere; coming back to it is no reason to begin with its title.
    if (newId !== null && openId !== newId) setNewId(null)
    // Nor is it to write in it: that was asked for when it was entered.
    if (entered.id !== '' && openId !== entered.id) setEntered({ id: '', times: 0 })
  }, [newId, entered, openId])
  useEffect(() => {
    document.title = note === undefined ? 'Rejoin notes' : `${showTitle(note.title)} · Rejoin notes`
  }, [note])

  const conflict = dialog?.kind === 'conflict' ? conflicts.get(dialog.noteId) : undefined
  return (
    <div className="app" data-view={openId === null ? 'list' : 'note'}>
      <Sidebar
        space={space}
        identity={identity}
        notes={shown}
        openId={openId}
        search={search}
        pendingIds={pendingIds}
        conflictIds={conflictIds}
        onSearch={setSearch}
        onNew={add}
        onDelete={remove}
        onEnter={id => setEntered(({ times }) => ({ id, times: times + 1 }))}
        onDecide={() => setDialog({ kind: 'conflict', noteId: [...conflictIds][0] ?? '' })}
        onRefused={() => setDialog({ kind: 'quarantine' })}
        onPerson={() => setDialog({ kind: 'person' })}
        onKeepName={() => onName(identity.name)}
        onHelp={() => setDialog({ kind: 'shortcuts' })}
      />
      <main ref={sheet} className="sheet" tabIndex={-1} data-colour={showColour(note?.colour ?? 'plain')}>
        {note === undefined ? (
          <NoNoteOpen isUnknown={openId !== null} onNew={add} />
        ) : (
          <NotePage
            key={note.id}
            note={note}
            knownTags={knownTags}
            isNew={note.id === newId}
            isPending={pendingIds.has(note.id)}
            isConflicting={conflictIds.has(note.id)}
            focusRequest={entered.id === note.id ? entered.times : 0}
            onDelete={remove}
            onDecide={noteId => setDialog({ kind: 'conflict', noteId })}
            onLeave={leave}
          />
        )}
      </main>
      <StatusBar />
      {dialog?.kind === 'conflict' &&
        (conflict === undefined ? (
          <ConflictGone onGone={closeDialog} />
        ) : (
          <ConflictDialog
            conflict={conflict}
            onPick={pick => settle(conflict, { pick })}
            onWrite={value => settle(conflict, { value })}
            onClose={closeDialog}
          />
        ))}
      {dialog?.kind === 'quarantine' && <QuarantineDialog onClose={closeDialog} />}
      {dialog?.kind === 'shortcuts' && <ShortcutsDialog onClose={closeDialog} />}
      {dialog?.kind === 'person' && (
        <PersonDialog name={identity.name} device={device} onSave={onName} onClose={closeDialog} />
      )}
    </div>
  )
}

function isNarrow(): boolean {
  return matchMedia('(max-width: 720px)').matches
}

function focusItem(id: string | null): void {
  if (id !== null) document.querySelector<HTMLElement>(`a[data-note-id="${CSS.escape(id)}"]`)?.focus()
}

/** Where list and note are one at a time, the focus follows from one to the other, as on a change of page. */
function useScreenChange(openId: string | null, sheet: { readonly current: HTMLElement | null }): void {
  const before = useRef(openId)
  useEffect(() => {
    const last = before.current
    before.current = openId
    if (last === openId || !isNarrow()) return
    if (openId === null) focusItem(last)
    else if (sheet.current?.contains(document.activeElement) !== true) sheet.current?.focus()
  }, [openId, sheet])
}
