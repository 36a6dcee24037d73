/**
 * A short message at the foot of the page with at most one action. It waits while it is pointed at or focused, since
 * an "Undo" that vanishes under the finger is worse than none.
 */
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react'

export interface Toast {
  readonly text: string
  readonly action?: { readonly label: string; readonly testId: string; readonly run: () => void }
}

const shownMs = 10_000
const ToastContext = createContext<(toast: Toast) => void>(() => {})

/** Shows a toast instead of the one that is there. */
export function useToast(): (toast: Toast) => void {
  return useContext(ToastContext)
}

export function ToastArea({ children }: { readonly children: ReactNode }): ReactNode {
  const [toast, setToast] = useState<(Toast & { readonly id: number }) | null>(null)
  const [held, setHeld] = useState(false)
  const show = useCallback((next: Toast) => setToast(last => ({ ...next, id: (last?.id ?? 0) + 1 })), [])
  const close = useCallback(() => {
    setToast(null)
    setHeld(false)
  }, [])

  useEffect(() => {
    if (toast === null || held) return
    const timer = setTimeout(close, shownMs)
    return () => clearTimeout(timer)
  }, [toast, held, close])

  const hold = useMemo(
    () => ({
      onPointerEnter: () => setHeld(true),
      onPointerLeave: () => setHeld(false),
      onFocus: () => setHeld(true),
      onBlur: () => setHeld(false),
    }),
    [],
  )
  const { action } = toast ?? {}
  return (
    <ToastContext value={show}>
      {children}
      <div className="toast-area" role="status">
        {toast !== null && (
          <div className="toast" key={toast.id} data-testid="toast" {...hold}>
            <span>{toast.text}</span>
            {action !== undefined && (
              <button
                type="button"
                className="toast-action"
                data-testid={action.testId}
                onClick={() => {
                  close()
                  action.run()
                }}
              >
                {action.label}
              </button>
            )}
          </div>
        )}
      </div>
    </ToastContext>
  )
}
