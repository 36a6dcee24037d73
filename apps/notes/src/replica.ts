/** The app's replica: one space, one collection. */
import { openReplica, type DocumentOf, type Replica } from '@rejoin/client'
import type { Configuration } from './configuration.ts'
import { notes } from './schema.ts'

export type NotesReplica = Replica<{ readonly notes: typeof notes }>

export type Note = DocumentOf<(typeof notes)['fields']>

export interface Person {
  readonly account: string
  /** Asked for while these notes are nobody's. */
  readonly name: () => string
  readonly device: string
}

export async function openNotes(
  { space, relay }: Configuration,
  { account, name, device }: Person,
): Promise<NotesReplica> {
  let replica: NotesReplica | null = null
  // Notes that are somebody's go out in that name, whatever name one takes meanwhile.
  const token = (): string => replica?.status.get().user ?? name()
  replica = await openReplica({ space, account, collections: { notes }, relays: [relay], token, device })
  return replica
}
