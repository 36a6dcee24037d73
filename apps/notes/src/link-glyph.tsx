/**
 * The state of the connection as a drawing: this device on the left, the relay on the right, and between them a
 * thread that is whole, being spun, or cut. A filled device still holds what the relay does not have.
 */
import type { Status } from '@rejoin/client'
import type { ReactNode } from 'react'

export interface LinkGlyphProps {
  readonly connection: Status['connection']
  readonly isHolding: boolean
}

export function LinkGlyph({ connection, isHolding }: LinkGlyphProps): ReactNode {
  const isCut = connection === 'offline' || connection === 'paused'
  return (
    <svg
      className="link-glyph"
      data-connection={connection}
      viewBox="0 0 44 20"
      width="44"
      height="20"
      aria-hidden="true"
      focusable="false"
    >
      {isCut ? (
        <path className="thread" d="M12 10h6M26 10h6M19.5 6.5l-1 7M25.5 6.5l-1 7" />
      ) : (
        <path className="thread" d="M12 10h20" />
      )}
      <circle className={isHolding ? 'end is-holding' : 'end'} cx="7" cy="10" r="4.25" />
      <circle className="end" cx="37" cy="10" r="4.25" />
    </svg>
  )
}
