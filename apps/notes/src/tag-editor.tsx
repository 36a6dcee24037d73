/** The tags of a note. Each comes and goes on its own, so two people who tag at once both get theirs. */
import { useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import { Icon } from './icons.tsx'
import { cleanTag, tagLengthMax } from './schema.ts'

export interface TagEditorProps {
  readonly tags: readonly string[]
  /** What others use, offered while typing. */
  readonly known: readonly string[]
  readonly onAdd: (tag: string) => void
  readonly onRemove: (tag: string) => void
}

export function TagEditor({ tags, known, onAdd, onRemove }: TagEditorProps): ReactNode {
  const [draft, setDraft] = useState('')
  const field = useRef<HTMLInputElement>(null)

  const add = (): void => {
    const tag = cleanTag(draft)
    setDraft('')
    if (tag !== '' && !tags.includes(tag)) onAdd(tag)
  }

  const press = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return
    if (event.key === 'Enter' || event.key === ',') {
      event.preventDefault()
      add()
    } else if (event.key === 'Backspace' && draft === '') {
      const last = tags.at(-1)
      if (last !== undefined) onRemove(last)
    }
  }

  const remove = (tag: string): void => {
    onRemove(tag)
    field.current?.focus()
  }

  return (
    <div className="tag-editor" role="group" aria-label="Tags">
      {tags.map(tag => (
        <span key={tag} className="tag" data-testid={`tag-${tag}`}>
          <span>#{tag}</span>
          <button type="button" aria-label={`Remove the tag ${tag}`} onClick={() => remove(tag)}>
            <Icon name="close" />
          </button>
        </span>
      ))}
      <input
        ref={field}
        className="tag-input"
        data-testid="tag-input"
        aria-label="Add a tag"
        placeholder={tags.length === 0 ? 'Add a tag' : 'Add'}
        list="known-tags"
        autoCapitalize="none"
        autoComplete="off"
        enterKeyHint="done"
        maxLength={tagLengthMax}
        value={draft}
        onChange={event => setDraft(event.target.value)}
        onBlur={add}
        onKeyDown={press}
      />
      <datalist id="known-tags">
        {known
          .filter(tag => !tags.includes(tag))
          .map(tag => (
            <option key={tag} value={tag} />
          ))}
      </datalist>
    </div>
  )
}
