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
  readonly onWrite: (title: string) => void
  /** Enter: the title is done, on to the body. */
  readonly onDone: () => void
}

export function TitleField({ title, isNew, onWrite, onDone }: TitleFieldProps): ReactNode {
  // Null while nothing is typed: then the field follows the replica.
  const [draft, setDraft] = useState<string | null>(null)
  const field = useRef<HTMLTextAreaElement>(null)
  const latest = useRef<{ draft: string | null; write: (title: string) => void }>({
    draft: null,
    write: onWrite,
  })
  latest.current.write = onWrite

  const flush = useCallback(() => {
    const { draft: typed, write } = latest.current
    if (typed === null) return
    latest.current.draft = null
    setDraft(null)
    write(typed)
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
