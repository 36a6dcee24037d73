/** Before there is a replica: a moment of waiting, or why there is none. */
import type { ReactNode } from 'react'

export function Opening(): ReactNode {
  return (
    <div className="opening" role="status" data-testid="opening">
      Opening your notes…
    </div>
  )
}

export function OpenFailed({ error }: { readonly error: unknown }): ReactNode {
  return (
    <div className="opening is-failed" role="alert" data-testid="open-failed">
      <h1>The notes could not be opened</h1>
      <p>{error instanceof Error ? error.message : String(error)}</p>
      <button type="button" className="button is-primary" onClick={() => location.reload()}>
        Try again
      </button>
    </div>
  )
}
