// A program of its own: opens a replica, writes, closes, and must then end by itself. It prints how long closing took,
// and what was left when nothing should be.
import { collection, openReplica } from '@rejoin/client'
import { ask, lww } from '@rejoin/resolve'
import * as v from 'valibot'

const [url = '', wait = 'relay'] = process.argv.slice(2)
const notes = collection('notes', { title: ask(v.string()), color: lww(v.string()) })
const replica = await openReplica({
  space: 'team',
  collections: { notes },
  relays: [url],
  token: () => 'alice',
})
const note = replica.notes.insert({ title: 'Hello', color: 'amber' })
// Nobody waits for these: they must not make the program fail.
void note.reached('quorum')
void note.reached('relay')
void replica.settled()
if (wait === 'relay' || wait === 'never') await note.reached('relay')
else await note.reached('local')
// Whoever does not close is still there: a timer that keeps nothing alive tells.
if (wait === 'never') {
  setTimeout(() => console.log(JSON.stringify({ open: true })), 300).unref()
} else await end()

async function end(): Promise<void> {
  // A parent that has something to break says when it is broken.
  if (wait === 'parent') {
    await new Promise<void>(resolve => {
      process.on('message', () => resolve())
      replica.status.subscribe(({ connection }) => process.send?.(connection))
    })
    process.disconnect()
  }
  const begun = performance.now()
  await replica.close()
  console.log(JSON.stringify({ closeMs: Math.round(performance.now() - begun) }))
}
