/** What every part of the app may reach for: the replica. */
import { createContext, useContext, type Context } from 'react'
import type { NotesReplica } from './replica.ts'

export const ReplicaContext: Context<NotesReplica | null> = createContext<NotesReplica | null>(null)

export function useReplica(): NotesReplica {
  const replica = useContext(ReplicaContext)
  if (replica === null) throw new Error('The app is rendered inside ReplicaContext.')
  return replica
}
