/** What the app writes. Every write is visible when the call returns; how far it has come, the replica says. */
import { useMemo } from 'react'
import { useReplica } from './replica-context.ts'
import type { Colour } from './schema.ts'

export interface Writing {
  /** Adds an empty note and returns its id. */
  add(): string
  retitle(id: string, title: string): void
  paint(id: string, colour: Colour): void
  pin(id: string, pinned: boolean): void
  tag(id: string, change: { readonly add?: readonly string[]; readonly remove?: readonly string[] }): void
  remove(id: string): void
  bringBack(id: string): void
}

export function useWriting(): Writing {
  const replica = useReplica()
  return useMemo(() => {
    const { notes } = replica
    // A note may be deleted by somebody else between what was shown and what was pressed.
    const change = (id: string, patch: Parameters<typeof notes.update>[1]): void => {
      if (notes.get(id) !== undefined) notes.update(id, patch)
    }
    return {
      add() {
        return notes.insert({ title: '', created: Date.now() }).id
      },
      retitle: (id, title) => change(id, { title }),
      paint: (id, colour) => change(id, { colour }),
      pin: (id, pinned) => change(id, { pinned }),
      tag: (id, tags) => change(id, { tags }),
      remove(id) {
        if (notes.get(id) !== undefined) notes.delete(id)
      },
      bringBack: id => void notes.undelete(id),
    }
  }, [replica])
}
