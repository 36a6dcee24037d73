/**
 * Which note is open, kept in the address: so the back button of a phone leads from the note to the list, a reload
 * comes back to the same note, and a note has a link.
 */
import { useSyncExternalStore } from 'react'

const prefix = '#/note/'

export function linkToNote(id: string): string {
  return `${prefix}${encodeURIComponent(id)}`
}

/** The id of the open note, or null where the list is. */
export function useOpenNote(): string | null {
  return useSyncExternalStore(subscribe, readOpenNote)
}

/** Opens a note, or with null the list. Stepping through notes replaces the entry, so that back leads out of them. */
export function openNote(id: string | null, how: 'push' | 'replace' = 'push'): void {
  const target = id === null ? location.pathname + location.search : linkToNote(id)
  if (how === 'push') history.pushState(null, '', target)
  else history.replaceState(null, '', target)
  dispatchEvent(new Event('popstate'))
}

function readOpenNote(): string | null {
  if (!location.hash.startsWith(prefix)) return null
  try {
    return decodeURIComponent(location.hash.slice(prefix.length)) || null
  } catch {
    return null
  }
}

function subscribe(listener: () => void): () => void {
  addEventListener('popstate', listener)
  addEventListener('hashchange', listener)
  return () => {
    removeEventListener('popstate', listener)
    removeEventListener('hashchange', listener)
  }
}
