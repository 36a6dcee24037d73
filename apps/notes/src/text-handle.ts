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
  const replica = useReplica()
  const [open, setOpen] = useState<OpenText | null>(null)

  useEffect(() => {
    const opened = tryOpen(replica, noteId)
    if (typeof opened === 'string') return setOpen({ text: null, problem: opened })
    const handle = opened
    let isOver = false
    const attach = (): void => {
      if (isOver) return
      setOpen({ text: handle.text, problem: null })
    }
    handle.whenReady.then(attach, (error: unknown) => {
      if (!isOver) setOpen({ text: null, problem: error instanceof Error ? error.message : String(error) })
    })
    const stopReplaced = handle.onReplaced(attach)
    return () => {
      isOver = true
      stopReplaced()
      handle.close()
      setOpen(null)
    }
  }, [replica, noteId])

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
