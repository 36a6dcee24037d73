/** What every part of the app may reach for: the replica, and how far this tab's writes have come. */
import { createContext, useContext, type Context } from 'react'
import type { NotesReplica } from './replica.ts'
import type { Tracker } from './tracker.ts'

export interface ReplicaAccess {
  readonly replica: NotesReplica
  readonly tracker: Tracker
}

export const ReplicaContext: Context<ReplicaAccess | null> = createContext<ReplicaAccess | null>(null)

export function useReplica(): ReplicaAccess {
  const access = useContext(ReplicaContext)
  if (access === null) throw new Error('The app is rendered inside ReplicaContext.')
  return access
}
