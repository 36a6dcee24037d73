/** The live text of a note for as long as it is on the screen. */
import { useEffect, useState } from 'react'
import type { Text } from 'yjs'
import type { NotesReplica } from './replica.ts'
import { useReplica } from './replica-context.ts'

export type OpenText =
  | { readonly text: Text; readonly problem: null }
  | { readonly text: null; readonly problem: string }

/** Null while it loads. Another text after something had to be taken out of it, so that the editor attaches again. */
export function useNoteText(noteId: string): OpenText | null {
  const { replica, tracker } = useReplica()
  const [open, setOpen] = useState<OpenText | null>(null)

  useEffect(() => {
    const opened = tryOpen(replica, noteId)
    if (typeof opened === 'string') return setOpen({ text: null, problem: opened })
    const handle = opened
    let stopTyping = (): void => {}
    let isOver = false
    const attach = (): void => {
      if (isOver) return
      stopTyping()
      const { text } = handle
      const notice = (
        _update: Uint8Array,
        _origin: unknown,
        _document: unknown,
        change: { local: boolean },
      ): void => {
        if (change.local) tracker.trackTyping(noteId)
      }
      text.doc?.on('update', notice)
      stopTyping = () => text.doc?.off('update', notice)
      setOpen({ text, problem: null })
    }
    handle.whenReady.then(attach, (error: unknown) => {
      if (!isOver) setOpen({ text: null, problem: error instanceof Error ? error.message : String(error) })
    })
    const stopReplaced = handle.onReplaced(attach)
    return () => {
      isOver = true
      stopTyping()
      stopReplaced()
      handle.close()
      setOpen(null)
    }
  }, [replica, tracker, noteId])

  return open
}

/** The handle, or why there is none: somebody may have deleted the note since it was shown. */
function tryOpen(replica: NotesReplica, noteId: string): ReturnType<NotesReplica['notes']['text']> | string {
  try {
    return replica.notes.text(noteId, 'body')
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
