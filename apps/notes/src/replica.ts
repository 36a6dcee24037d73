/** The app's replica: one space, one collection. */
import { openReplica, type DocumentOf, type Replica } from '@rejoin/client'
import type { Configuration } from './configuration.ts'
import { notes } from './schema.ts'

export type NotesReplica = Replica<{ readonly notes: typeof notes }>

export type Note = DocumentOf<(typeof notes)['fields']>

export interface Person {
  readonly name: string
  readonly device: string
}

export function openNotes({ space, relay }: Configuration, { name, device }: Person): Promise<NotesReplica> {
  return openReplica({
    space,
    account: name,
    collections: { notes },
    relays: [relay],
    token: () => name,
    device,
  })
}
