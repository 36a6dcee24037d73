/** Of everything that may be in conflict, the titles of notes: what this app has people decide. */
import type { FieldConflictOf } from '@rejoin/client'
import { useMemo } from 'react'
import { useLive } from './live.ts'
import { useReplica } from './replica-context.ts'

export type TitleConflict = FieldConflictOf<'notes', 'title', string>

/** Open conflicts of titles by the id of their note. */
export function useTitleConflicts(): ReadonlyMap<string, TitleConflict> {
  const open = useLive(useReplica().conflicts)
  return useMemo(() => {
    const byNote = new Map<string, TitleConflict>()
    for (const conflict of open) {
      if (conflict.field === 'title' && conflict.settledBy === 'person') byNote.set(conflict.id, conflict)
    }
    return byNote
  }, [open])
}
