/**
 * What the keyboard can do. Single letters count only where nothing is being typed, and never together with Ctrl,
 * Alt or Meta, which belong to the browser.
 */
import { useEffect, useRef, type ReactNode } from 'react'
import { Dialog } from './dialog.tsx'

export interface Shortcuts {
  readonly onNew: () => void
  readonly onSearch: () => void
  readonly onOffline: () => void
  readonly onHelp: () => void
}

const shown = [
  { keys: ['n'], does: 'New note' },
  { keys: ['/'], does: 'Search' },
  { keys: ['↑', '↓'], does: 'Walk through the notes' },
  { keys: ['Enter'], does: 'Write in the note' },
  { keys: ['Esc'], does: 'Back to the list' },
  { keys: ['Del'], does: 'Delete the note (in the list)' },
  { keys: ['o'], does: 'Work offline, and back' },
  { keys: ['?'], does: 'This list' },
] as const

export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts)
  latest.current = shortcuts
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target))
        return
      const run = actionOf(event.key, latest.current)
      if (run === null || document.querySelector('dialog[open]') !== null) return
      event.preventDefault()
      run()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
}

function actionOf(key: string, shortcuts: Shortcuts): (() => void) | null {
  if (key === 'n') return shortcuts.onNew
  if (key === '/') return shortcuts.onSearch
  if (key === 'o') return shortcuts.onOffline
  if (key === '?') return shortcuts.onHelp
  return null
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target instanceof HTMLInputElement) return target.type !== 'radio' && target.type !== 'checkbox'
  return target.isContentEditable || target instanceof HTMLTextAreaElement
}

export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  return (
    <Dialog title="Keyboard" testId="shortcuts" onClose={onClose}>
      <dl className="shortcuts">
        {shown.map(({ keys, does }) => (
          <div key={does}>
            <dt>
              {keys.map(key => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
