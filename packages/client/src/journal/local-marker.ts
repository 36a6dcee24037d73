/** The marker of a replica in `localStorage`, which survives when a browser drops an origin's databases. */
import { isWriterId, type StoreId } from '@rejoin/core'
import type { Marker, MarkerRecord } from './loss.ts'

export function createLocalMarker(name: string): Marker {
  const keyOf = (of: string): string => `${of} marker`
  return {
    read(of = name) {
      try {
        return parseMarker(localStorage.getItem(keyOf(of)))
      } catch {
        // Storage that is forbidden or full of something else is no marker.
        return null
      }
    },
    write(record) {
      try {
        localStorage.setItem(keyOf(name), JSON.stringify(record))
      } catch {
        // Then a loss of the store goes unannounced, which is all that the marker is for.
      }
    },
  }
}

function parseMarker(text: string | null): MarkerRecord | null {
  if (text === null) return null
  const found: unknown = JSON.parse(text)
  if (typeof found !== 'object' || found === null) return null
  if (!('replica' in found) || !('left' in found) || !('unsent' in found)) return null
  const { replica, left, unsent } = found
  if (typeof replica !== 'string' || !isWriterId(replica)) return null
  if ((left !== null && typeof left !== 'string') || typeof unsent !== 'number') return null
  return { replica: replica as string as StoreId, left, unsent }
}
