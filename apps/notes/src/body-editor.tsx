/**
 * The body of a note: CodeMirror over the note's own Y.Text. Undo takes back one's own edits only, never what others
 * typed meanwhile. The text is shown as text; nothing in it is ever markup.
 */
import { defaultKeymap } from '@codemirror/commands'
import { EditorState, type Extension } from '@codemirror/state'
import { drawSelection, EditorView, highlightSpecialChars, keymap, placeholder } from '@codemirror/view'
import { useEffect, useRef, type ReactNode } from 'react'
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next'
import { UndoManager, type Text } from 'yjs'

export interface BodyEditorProps {
  readonly text: Text
  /** Changes when the editor shall take the focus. */
  readonly focusRequest: number
  readonly onLeave: () => void
}

export function BodyEditor({ text, focusRequest, onLeave }: BodyEditorProps): ReactNode {
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const leave = useRef(onLeave)
  leave.current = onLeave

  useEffect(() => {
    if (place.current === null) return
    // Nothing is tracked but what the editor adds: its own edits.
    const undoManager = new UndoManager(text, { trackedOrigins: new Set() })
    const editor = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: text.toString(),
        extensions: [...look, leaveOnEscape(leave), yCollab(text, null, { undoManager })],
      }),
    })
    view.current = editor
    return () => {
      view.current = null
      editor.destroy()
      undoManager.destroy()
    }
  }, [text])

  useEffect(() => {
    if (focusRequest > 0) view.current?.focus()
  }, [focusRequest, text])

  return <div ref={place} className="body-editor" />
}

// The server lets styles in by this word alone, and CodeMirror brings its own.
const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? ''

const look: readonly Extension[] = [
  EditorView.cspNonce.of(nonce),
  EditorView.lineWrapping,
  EditorView.contentAttributes.of({
    'data-testid': 'note-body',
    'aria-label': 'Text of the note',
    autocapitalize: 'sentences',
    autocorrect: 'on',
    spellcheck: 'true',
  }),
  highlightSpecialChars(),
  drawSelection(),
  placeholder('Write something…'),
  keymap.of([...yUndoManagerKeymap, ...defaultKeymap]),
]

function leaveOnEscape(leave: { readonly current: () => void }): Extension {
  return keymap.of([
    {
      key: 'Escape',
      run: () => {
        leave.current()
        return true
      },
    },
  ])
}
