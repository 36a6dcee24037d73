/**
 * The title of a note while it is typed. Each write of the title is one that others may compete with, so not every
 * key is one: a draft is written when typing rests, on Enter, on leaving, and before the page goes away.
 */
import { useCallback, useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import { titleLengthMax } from './schema.ts'

const restMs = 400

export interface TitleFieldProps {
  readonly title: string
  readonly isNew: boolean
  /** `meanwhile` is what somebody else named the note while this was typed, or null. */
  readonly onWrite: (title: string, meanwhile: string | null) => void

  /** Enter: the title is done, on to the body. */
  readonly onDone: () => void
}

export function TitleField({ title, isNew, onWrite, onDone }: TitleFieldProps): ReactNode {
  // Null while nothing is typed: then the field follows the replica.
  const [draft, setDraft] = useState<string | null>(null)
  const field = useRef<HTMLTextAreaElement>(null)
  // What a flush needs, whichever moment it comes from: `before` is the title when the draft was begun.
  const latest = useRef({ draft: null as string | null, before: title, title, write: onWrite })
  latest.current.write = onWrite
  latest.current.title = title

  const flush = useCallback(() => {
    const { draft: typed, before, title: now, write } = latest.current
    if (typed === null) return
    latest.current.draft = null
    latest.current.title = typed
    setDraft(null)
    write(typed, now === before || now === typed ? null : now)
  }, [])

  useEffect(() => {
    if (draft === null) return
    const timer = setTimeout(flush, restMs)
    return () => clearTimeout(timer)
  }, [draft, flush])

  useEffect(() => {
    addEventListener('pagehide', flush)
    document.addEventListener('visibilitychange', flush)
    return () => {
      removeEventListener('pagehide', flush)
      document.removeEventListener('visibilitychange', flush)
      flush()
    }
  }, [flush])

  useEffect(() => {
    if (isNew) field.current?.focus()
  }, [isNew])

  const type = (text: string): void => {
    const line = text.replace(/[\r\n]+/g, ' ')
    if (latest.current.draft === null) latest.current.before = latest.current.title
    latest.current.draft = line
    setDraft(line)
  }

  const finish = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.nativeEvent.isComposing) return
    event.preventDefault()
    flush()
    onDone()
  }

  return (
    <textarea
      ref={field}
      className="title-field"
      data-testid="note-title"
      aria-label="Title"
      placeholder="Untitled"
      rows={1}
      maxLength={titleLengthMax}
      enterKeyHint="next"
      value={draft ?? title}
      onChange={event => type(event.target.value)}
      onBlur={flush}
      onKeyDown={finish}
    />
  )
}
