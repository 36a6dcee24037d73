// A program of its own that opens and closes a replica twenty times and then has nothing more to do. What it prints, it
// prints when nothing is left that would keep it alive: how long closing took at most, how long the program went on
// after the last of it, and whether anything was heard of a replica after it was closed.
import { collection, openReplica, type Replica } from '@rejoin/client'
import { createRelay } from '@rejoin/relay'
import { lww, text } from '@rejoin/resolve'
import * as v from 'valibot'

const [url = '', storage = '', state = '', way = ''] = process.argv.slice(2)
// @ts-expect-error it has no types where it is only loaded
if (storage === 'fake-indexeddb') await import('fake-indexeddb/auto')
const notes = collection('notes', { title: lww(v.string()), body: text() })
const rounds = 20
const closed = new Set<object>()
let heardAfter = 0
let closeMsMax = 0

function open(at: string, round: number): Promise<Replica<{ readonly notes: typeof notes }>> {
  return openReplica({ space: `team-${round}`, collections: { notes }, relays: [at], token: () => 'alice' })
}

async function use(replica: Awaited<ReturnType<typeof open>>): Promise<void> {
  const { status } = replica
  for (const live of [replica.notes.query(), status, replica.conflicts]) {
    live.subscribe(() => {
      if (closed.has(replica)) heardAfter += 1
    })
  }
  const note = replica.notes.insert({ title: 'Hello', body: 'world' })
  // Nobody waits for these, and nobody is to hear of them.
  void note.reached('relay')
  void replica.settled()
  await note.reached(state === 'up' ? 'relay' : 'local')
  if (state === 'back-off')
    await new Promise<void>(resolve =>
      status.subscribe(({ connection }) => connection === 'offline' && resolve()),
    )
}

async function close(replica: Awaited<ReturnType<typeof open>>): Promise<void> {
  const begun = performance.now()
  await replica.close()
  closed.add(replica)
  closeMsMax = Math.max(closeMsMax, performance.now() - begun)
}

for (let round = 0; round < rounds; round++) {
  if (way === 'await using') {
    let begun = 0
    let used: object = {}
    await (async () => {
      await using replica = await open(url, round)
      await use(replica)
      used = replica
      begun = performance.now()
    })()
    closed.add(used)
    closeMsMax = Math.max(closeMsMax, performance.now() - begun)
  } else if (way === 'relay in the same process') {
    const relay = createRelay({ development: true })
    const replica = await open((await relay.listen({ port: 0 })).url, round)
    await use(replica)
    // One of the two ends while the other is still connected.
    if (round % 2 === 0) await relay.close()
    await close(replica)
    await relay.close()
  } else {
    const replica = await open(url, round)
    await use(replica)
    await close(replica)
  }
}
const over = performance.now()
process.once('beforeExit', () => {
  const left = process
    .getActiveResourcesInfo()
    .filter(name => !['PipeWrap', 'TTYWrap', 'FSReqCallback'].includes(name))
  console.log(
    JSON.stringify({ rounds: closed.size, closeMsMax, wentOnMs: performance.now() - over, heardAfter, left }),
  )
})
