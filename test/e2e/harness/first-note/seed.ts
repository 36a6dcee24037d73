import { collection, openReplica, type Replica } from '@rejoin/client'
import { ask, lww, text } from '@rejoin/resolve'
import * as v from 'valibot'

const notes = collection('notes', {
  title: ask(v.string()),
  opening: lww(v.optional(v.string(), '')), // shown above the text, and edited by nobody
  body: text(),
})
const seeds = collection('seeds', { sown: lww(v.boolean()) }) // never deleted

export type FirstNotes = Replica<{ notes: typeof notes; seeds: typeof seeds }>

export async function openFirstNotes(space: string, relay: string, user: string): Promise<FirstNotes> {
  const replica = await openReplica({
    space,
    collections: { notes, seeds },
    relays: [relay],
    token: () => user,
  })
  if (replica.seeds.get('welcome') === undefined) {
    replica.transact(tx => {
      tx.seeds.insert({ sown: true }, { id: 'welcome' })
      tx.notes.insert({ title: 'Welcome', opening: 'This is your first note.' }, { id: 'welcome' })
    })
  }
  return replica
}
