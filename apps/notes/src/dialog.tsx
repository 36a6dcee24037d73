/**
 * A dialog of the browser's own: it keeps the focus inside, closes on Escape and gives the focus back where it was.
 * It is rendered while it is open and not otherwise.
 */
import { useEffect, useId, useRef, type MouseEvent, type ReactNode } from 'react'
import { Icon } from './icons.tsx'

export interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  readonly testId: string
  readonly children: ReactNode
  readonly className?: string
}

export function Dialog({ title, onClose, testId, children, className }: DialogProps): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  const headingId = useId()

  useEffect(() => {
    const element = dialog.current
    if (element === null) return
    // Removing an open dialog does not give the focus back; closing it first does.
    const before = document.activeElement
    element.showModal()
    // The browser would choose the first button, which is the one that closes.
    element.querySelector<HTMLElement>('[data-first]')?.focus()
    return () => {
      element.close()
      if (before instanceof HTMLElement && before.isConnected) before.focus()
      // What opened it can be gone by now, as a notice is once it is settled.
      else document.querySelector<HTMLElement>('main')?.focus()
    }
  }, [])

  const closeOnBackdrop = (event: MouseEvent<HTMLDialogElement>): void => {
    // The content fills the dialog, so a click on the element itself is one on the backdrop.
    if (event.target === event.currentTarget) onClose()
  }

  return (
    <dialog
      ref={dialog}
      className={`dialog ${className ?? ''}`}
      data-testid={testId}
      aria-labelledby={headingId}
      onMouseDown={closeOnBackdrop}
      onCancel={event => {
        event.preventDefault()
        onClose()
      }}
    >
      <div className="dialog-content">
        <header className="dialog-head">
          <h2 id={headingId}>{title}</h2>
          <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
