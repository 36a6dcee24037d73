/** Tokens that fail while a replica is opened offline, and people who sign in one after the other, with a real relay. */
import { collection, openReplica, type OpenOptions, type Replica, type Token } from '@rejoin/client'
import { createRelay } from '@rejoin/relay'
import { lww, text } from '@rejoin/resolve'
import { openTcpProxy } from '@rejoin/testkit/tcp-proxy'
import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'
import { until } from '../chaos/harness/until.ts'

const notes = collection('notes', { title: lww(v.string()), body: text() })
type Notes = Replica<{ readonly notes: typeof notes }>

let spaces = 0

/** A space of its own, so that no test meets another's memory. */
function openingsOf(
  url: string,
): (options?: Partial<OpenOptions<{ notes: typeof notes }>>) => Promise<Notes> {
  const space = `signing-in-${spaces++}`
  return async options => {
    const replica = await openReplica({ space, collections: { notes }, relays: [url], ...options })
    onTestFinished(() => replica.close())
    return replica
  }
}

async function listen(): Promise<{ readonly url: string; readonly port: number }> {
  const relay = createRelay({
    token: token => Promise.resolve(token === 'expired' ? null : { user: token === '' ? 'nobody' : token }),
  })
  onTestFinished(() => relay.close())
  return relay.listen({ port: 0 })
}

function titles(replica: Notes): readonly string[] {
  return replica.notes
    .query({ orderBy: 'title' })
    .get()
    .map(({ title }) => title)
}

test.each([
  ['rejects', (): Promise<string> => Promise.reject(new Error('the login is over'))],
  ['never answers', (): Promise<string> => new Promise(() => {})],
  ['gives an expired one', (): string => 'expired'],
] as const)('a token function that %s offline keeps nobody from their notes', async (how, failing) => {
  const { port } = await listen()
  const proxy = await openTcpProxy(port)
  onTestFinished(() => proxy.close())
  const open = openingsOf(`ws://127.0.0.1:${proxy.port}`)
  const before = await open({ token: () => 'alice' })
  for (let i = 0; i < 10; i++) before.notes.insert({ title: `note ${i}` })
  await before.settled()
  await before.close()

  proxy.cut()
  let token: Token = failing
  let asked = 0
  const begun = performance.now()
  const offline = await open({
    token() {
      asked += 1
      return token()
    },
  })
  expect(titles(offline)).toHaveLength(10)
  expect(performance.now() - begun).toBeLessThan(2000)
  const edited = offline.notes.insert({ title: 'offline', body: 'written without a token' })
  await edited.reached('local')
  expect(offline.status.get()).toMatchObject({ synced: false, pending: 1, user: 'alice' })
  await until(() => asked > 0, 'the token is asked for')
  // It goes on failing for a while after the network is back.
  proxy.heal()
  if (how === 'gives an expired one') {
    await until(() => offline.status.get().reason === 'unauthenticated', 'the relay refuses the token')
    expect(titles(offline)).toHaveLength(11)
  }
  token = () => 'alice'
  await offline.settled()
  expect(asked).toBeLessThan(10)
  const other = await open({ token: () => 'bob', account: 'bob' })
  await other.settled()
  expect(titles(other)).toContain('offline')
})

test('[Q4] after signing in as somebody else nothing of the first person is sent, and it is said whose it is', async () => {
  const { url } = await listen()
  const open = openingsOf(url)
  const alice = await open({ token: () => 'alice' })
  await alice.settled()
  alice.pause()
  await alice.notes.insert({ title: 'of alice' }).reached('local')
  await alice.close()
  const bob = await open({ token: () => 'bob' })
  await until(() => bob.status.get().reason === 'unauthenticated', 'the relay’s name for bob is heard')
  expect(bob.status.get()).toMatchObject({ connection: 'paused', pending: 1, user: 'alice' })
  const own = await open({ token: () => 'bob', account: 'bob' })
  await own.settled()
  expect(titles(own)).toEqual([])
  await bob.close()
  const again = await open({ token: () => 'alice' })
  await again.settled()
  await own.settled()
  expect(titles(own)).toEqual(['of alice'])
})

test('[Q4] what was written before signing in goes with whoever signs in first', async () => {
  const { url } = await listen()
  const open = openingsOf(url)
  const nobody = await open()
  nobody.notes.insert({ title: 'sent by nobody in particular', body: 'a' })
  await nobody.settled()
  nobody.pause()
  const unsent = nobody.notes.insert({ title: 'unsent', body: 'b' })
  await unsent.reached('local')
  await nobody.close()
  const alice = await open({ token: () => 'alice' })
  await alice.settled()
  expect(alice.status.get()).toMatchObject({ user: 'alice', quarantined: 0 })
  const other = await open({ token: () => 'bob', account: 'bob' })
  await other.settled()
  expect(titles(other)).toEqual(['sent by nobody in particular', 'unsent'])
})
