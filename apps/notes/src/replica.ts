/** The app's replica: one space, one collection. */
import type { CollectionHandle, Conflicts, DocumentOf, Live, Quarantine, Status } from '@rejoin/client'
import * as client from '@rejoin/client'
import type { Configuration } from './configuration.ts'
import { notes } from './schema.ts'

const collections = { notes }
type NoteFields = (typeof notes)['fields']

export type Note = DocumentOf<NoteFields>

export interface NotesReplica {
  readonly notes: CollectionHandle<'notes', NoteFields>
  readonly conflicts: Conflicts<typeof collections>
  readonly quarantine: Quarantine
  readonly status: Live<Status>
  pause(): void
  resume(): void
  close(): Promise<void>
}

export interface Person {
  readonly name: string
  readonly device: string
}

export function openNotes({ space, relay }: Configuration, { name, device }: Person): Promise<NotesReplica> {
  return (client as unknown as { openReplica(options: object): Promise<NotesReplica> }).openReplica({
    space,
    collections,
    relays: [relay],
    token: () => name,
    device,
  })
}
