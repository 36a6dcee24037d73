// A relay that follows another one: it passes on what is to be judged, and has it when it comes back in its pull.
import { documentKey, RejoinError, type Frame, type StoreId, type Write } from '@rejoin/core'
import {
  createCluster,
  type Cluster,
  type OpenTab,
  type SimulatedDevice,
  type SimulatedRelay,
  helloWith,
} from '@rejoin/testkit'
import { afterEach, expect, test, vi } from 'vitest'
import { welcomeFrom } from '../core/welcomes.ts'
import { attach, bareLink } from './bare-kernel.ts'

const space = 'space'
let cluster: Cluster

afterEach(() => cluster.close())

interface Options {
  readonly followers: number
  readonly links?: 'followers' | 'chain'
  readonly ackReplicas?: number
  readonly accept?: (write: Write) => true | string
  readonly reads?: (user: string, url: string) => boolean
}

/** A leader, followers, and for each follower a tab that reaches it alone. */
async function following({ followers, links = 'followers', ackReplicas, accept, reads }: Options) {
  cluster = await createCluster({
    seed: 7,
    relays: followers + 1,
    devices: followers,
    links,
    ackReplicas,
    accept,
    reads,
  })
  const [leader, ...others] = cluster.relays as [SimulatedRelay, ...SimulatedRelay[]]
  cluster.linkPeers()
  await cluster.clock.advance(500)
  const tabs: OpenTab[] = []
  for (const [i, device] of cluster.devices.entries()) {
    for (const relay of cluster.relays)
      if (relay !== others[i]) cluster.network.cut(device.name, relay.url, 'told')
    const open = await cluster.openTab(device)
    if (open !== null) tabs.push(open)
  }
  await cluster.clock.advance(2000)
  return { leader, followers: others, tabs }
}

function insert({ replica }: OpenTab, id: string) {
  return replica.notes.insert({ title: id, color: 'amber', log: [id] }, { id })
}

async function holds(relay: SimulatedRelay | undefined, id: string): Promise<boolean> {
  const key = documentKey('notes', id)
  return (await relay?.store.rows(space, [key]))?.has(key) ?? false
}

/** Whether a promise has been kept by now. */
function watch(promise: Promise<unknown>): { readonly isKept: boolean } {
  const state = { isKept: false }
  promise.then(
    () => (state.isKept = true),
    () => {},
  )
  return state
}

/** Cuts a follower from its leader, and mends it. */
function cut(relay: SimulatedRelay | undefined, leader: SimulatedRelay): void {
  cluster.network.cut(relay?.url ?? '', leader.url, 'told')
}

async function heal(relay: SimulatedRelay | undefined, leader: SimulatedRelay): Promise<void> {
  cluster.network.heal(relay?.url ?? '', leader.url)
  cluster.linkPeers()
  await cluster.clock.advance(5000)
}

test('[Q2] what is written at a follower is on the leader when it is acknowledged, and then at every follower', async () => {
  const { leader, followers, tabs } = await following({ followers: 2 })
  const [alice, bob] = tabs as [OpenTab, OpenTab]
  let wasOnLeader = false
  const written = watch(
    insert(alice, 'a')
      .reached('relay')
      .then(async () => (wasOnLeader = await holds(leader, 'a'))),
  )
  await cluster.clock.advance(1000)
  expect([written.isKept, wasOnLeader]).toEqual([true, true])
  for (const follower of followers) expect(await holds(follower, 'a')).toBe(true)
  expect(bob.replica.notes.get('a')?.title).toBe('a')
  expect(alice.replica.status.get()).toMatchObject({ connection: 'online', pending: 0 })
})

test('[P3] a write costs each relay one commit, however often they tell each other how far they are', async () => {
  const { tabs } = await following({ followers: 2 })
  // With the first one comes who they all are.
  insert(tabs[0] as OpenTab, 'first')
  await cluster.clock.advance(5000)
  const commits = cluster.relays.map(({ store }) => vi.spyOn(store, 'commit'))
  insert(tabs[0] as OpenTab, 'a')
  await cluster.clock.advance(5000)
  expect(commits.map(({ mock }) => mock.calls.length)).toEqual([1, 1, 1])
})

test('[A1] who could not store what came of a feed begins again from what is on disk, and misses nothing', async () => {
  const { leader, followers, tabs } = await following({ followers: 1 })
  const [follower] = followers as [SimulatedRelay]
  insert(tabs[0] as OpenTab, 'first')
  await cluster.clock.advance(5000)
  const commit = vi.spyOn(follower.store, 'commit')
  commit.mockRejectedValueOnce(new RejoinError('storage-full', { reason: 'test' }, 'the disk is full'))
  insert(tabs[0] as OpenTab, 'a')
  await cluster.clock.advance(1000)
  expect([await holds(leader, 'a'), await holds(follower, 'a')]).toEqual([true, false])
  expect(follower.errors).toHaveLength(1)
  // It dials again, as after any link that ended.
  cluster.linkPeers()
  await cluster.clock.advance(5000)
  insert(tabs[0] as OpenTab, 'b')
  await cluster.clock.advance(5000)
  expect([await holds(follower, 'a'), await holds(follower, 'b')]).toEqual([true, true])
  expect(follower.errors).toHaveLength(1)
})

test('[Q2] a follower that dialled twice follows over the link that is left, whichever ends', async () => {
  const { leader, followers, tabs } = await following({ followers: 1 })
  const second = followers[0]?.kernel.dial(space, bareLink)
  second?.receive(welcomeFrom(leader.store.id, leader.store.generation), 0)
  second?.receive(helloWith({ space, replica: leader.store.id, role: 'peer' }), 0)
  await cluster.clock.advance(100)
  second?.closed()
  const written = watch(insert(tabs[0] as OpenTab, 'a').reached('relay'))
  await cluster.clock.advance(5000)
  expect([written.isKept, await holds(leader, 'a')]).toEqual([true, true])
})

test("[T4] the leader remembers the writer as the client's user and device, not as the follower's", async () => {
  const { leader, tabs } = await following({ followers: 1 })
  insert(tabs[0] as OpenTab, 'a')
  await cluster.clock.advance(1000)
  const [record] = await leader.store.writersAfter(space, 0)
  expect(record).toMatchObject({ user: cluster.devices[0]?.user, device: cluster.devices[0]?.name })
})

test('[L3] what the leader refuses is in the quarantine of who wrote it at the follower, and the rest goes on', async () => {
  const { leader, tabs } = await following({
    followers: 1,
    accept: write => write.key !== documentKey('notes', 'b') || 'not b',
  })
  const [alice] = tabs as [OpenTab]
  for (const id of ['a', 'b', 'c']) insert(alice, id)
  await cluster.clock.advance(2000)
  expect(alice.replica.quarantine.get().map(({ error }) => error.code)).toEqual(['refused-by-rule'])
  expect(await Promise.all(['a', 'b', 'c'].map(id => holds(leader, id)))).toEqual([true, false, true])
})

test('[Q2] while the leader is out of reach writes wait and reads go on; when it is back they are acknowledged', async () => {
  const { leader, followers, tabs } = await following({ followers: 1 })
  const [alice] = tabs as [OpenTab]
  insert(alice, 'before')
  await cluster.clock.advance(1000)
  cut(followers[0], leader)
  await cluster.clock.advance(3000)
  const written = watch(insert(alice, 'meanwhile').reached('relay'))
  await cluster.clock.advance(30_000)
  expect(written.isKept).toBe(false)
  expect(alice.replica.status.get()).toMatchObject({ connection: 'online', pending: 1 })
  expect(alice.replica.quarantine.get()).toEqual([])
  // Who comes new reads what the follower has.
  const device = cluster.addDevice()
  cluster.network.cut(device.name, leader.url, 'told')
  const bob = await cluster.openTab(device)
  await cluster.clock.advance(2000)
  expect(bob?.replica.notes.get('before')?.title).toBe('before')
  expect(bob?.replica.notes.get('meanwhile')).toBeUndefined()

  await heal(followers[0], leader)
  expect(written.isKept).toBe(true)
  expect(bob?.replica.notes.get('meanwhile')?.title).toBe('meanwhile')
})

test('[S3, Q2] who holds more than a follower that has no leader reads on there, and gives when the leader is back', async () => {
  const { leader, followers, tabs } = await following({ followers: 2 })
  const [alice] = tabs as [OpenTab]
  const device = cluster.devices[0]?.name ?? ''
  const [first, second] = followers as [SimulatedRelay, SimulatedRelay]
  cut(second, leader)
  insert(alice, 'a')
  await cluster.clock.advance(1000)
  insert(tabs[1] as OpenTab, 'unsent')
  // The only relays that have it are gone; the one that is left never heard of it.
  cluster.network.cut(device, first.url, 'told')
  cluster.network.heal(device, second.url)
  await cluster.clock.advance(30_000)
  expect(alice.replica.status.get().connection).toBe('online')
  expect(await holds(second, 'a')).toBe(false)
  await heal(second, leader)
  expect(await holds(second, 'a')).toBe(true)
  expect(alice.replica.status.get()).toMatchObject({ connection: 'online', synced: true })
})

test('[S4, P2] a leader that lost its newest commits gets them back from a follower', async () => {
  const { leader, followers, tabs } = await following({ followers: 1 })
  const [alice] = tabs as [OpenTab]
  insert(alice, 'a')
  await cluster.clock.advance(1000)
  const image = leader.image()
  insert(alice, 'b')
  await cluster.clock.advance(1000)
  alice.replica.pause()
  await cluster.clock.advance(1000)
  leader.crash()
  leader.restore(image)
  await leader.start()
  expect(await holds(leader, 'b')).toBe(false)
  await heal(followers[0], leader)
  expect(await holds(leader, 'b')).toBe(true)
})

test('[A3] what one follower is to have on disk is at quorum when it has it there, and on a relay before', async () => {
  const { leader, followers, tabs } = await following({ followers: 2, ackReplicas: 1 })
  const [alice, bob] = tabs as [OpenTab, OpenTab]
  for (const follower of followers) cut(follower, leader)
  const device = cluster.devices[0]?.name ?? ''
  cluster.network.heal(device, leader.url)
  cluster.network.cut(device, followers[0]?.url ?? '', 'told')
  await cluster.clock.advance(10_000)
  const written = insert(alice, 'a')
  const relay = watch(written.reached('relay'))
  await cluster.clock.advance(2000)
  expect(relay.isKept).toBe(true)
  const quorum = watch(written.reached('quorum'))
  await cluster.clock.advance(20_000)
  expect(quorum.isKept).toBe(false)
  await heal(followers[1], leader)
  expect(quorum.isKept).toBe(true)
  expect(await holds(followers[1], 'a')).toBe(true)
  expect(await holds(followers[0], 'a')).toBe(false)
  // Whoever writes at a follower hears of it too.
  const late = insert(bob, 'b')
  const told = watch(late.reached('quorum'))
  await cluster.clock.advance(2000)
  expect(told.isKept).toBe(true)
  // A level that was reached is told also long after.
  const again = watch(late.reached('quorum'))
  const first = watch(written.reached('quorum'))
  await cluster.clock.advance(1)
  expect([again.isKept, first.isKept]).toEqual([true, true])
})

test('[A3] two followers that are to have it must both have it, and a level that nobody gives is refused', async () => {
  const { leader, followers, tabs } = await following({ followers: 2, ackReplicas: 2 })
  const [alice] = tabs as [OpenTab]
  cut(followers[1], leader)
  const written = insert(alice, 'a')
  const relay = watch(written.reached('relay'))
  await cluster.clock.advance(2000)
  expect(relay.isKept).toBe(true)
  const quorum = watch(written.reached('quorum'))
  await cluster.clock.advance(20_000)
  expect(quorum.isKept).toBe(false)
  await heal(followers[1], leader)
  expect(quorum.isKept).toBe(true)
  cluster.close()

  const without = await following({ followers: 1 })
  const refused = insert(without.tabs[0] as OpenTab, 'a')
  await expect(refused.reached('quorum')).rejects.toMatchObject({ code: 'ack-unavailable' })
})

test('[Q2, A3] who follows a follower passes on to it, and hears who leads as soon as that does', async () => {
  const { leader, followers, tabs } = await following({ followers: 2, links: 'chain', ackReplicas: 1 })
  const [near, far] = followers as [SimulatedRelay, SimulatedRelay]
  const [, bob] = tabs as [OpenTab, OpenTab]
  near.crash()
  cluster.network.cut(near.url, leader.url, 'told')
  await near.start()
  cluster.linkPeers()
  await cluster.clock.advance(2000)
  const written = watch(insert(bob, 'a').reached('quorum'))
  await cluster.clock.advance(20_000)
  expect([written.isKept, await holds(leader, 'a')]).toEqual([false, false])
  await heal(near, leader)
  cluster.linkPeers()
  await cluster.clock.advance(5000)
  expect([written.isKept, await holds(leader, 'a'), await holds(far, 'a')]).toEqual([true, true, true])
})

test('[A3] before a relay was met a quorum is waited for; one that does not give it refuses', async () => {
  const { leader, followers, tabs } = await following({ followers: 1 })
  const [alice] = tabs as [OpenTab]
  alice.tab.scope.kill()
  const device = cluster.devices[0]?.name ?? ''
  for (const relay of [leader, ...followers]) cluster.network.cut(device, relay.url, 'told')
  const reopened = (await cluster.openTab(cluster.devices[0] as SimulatedDevice)) as OpenTab
  const outcomes: unknown[] = []
  insert(reopened, 'a')
    .reached('quorum')
    .catch((error: RejoinError) => outcomes.push(error.code))
  await cluster.clock.advance(5000)
  expect(outcomes).toEqual([])
  cluster.network.healAll()
  await cluster.clock.advance(60_000)
  expect(outcomes).toEqual(['ack-unavailable'])
})

test('[A3] a tab that was away while its user might only read tells the quorum of what was taken meanwhile', async () => {
  let isReader = true
  const { tabs } = await following({ followers: 1, ackReplicas: 1, reads: () => isReader })
  const [alice] = tabs as [OpenTab]
  const bob = await cluster.openTab(alice.device)
  if (bob === null) throw new Error('the tab died')
  await cluster.clock.advance(2000)
  const written = insert(bob, 'b')
  await cluster.clock.advance(1000)
  bob.tab.happen('leave')
  isReader = false
  await cluster.clock.advance(60_000)
  alice.replica.pause()
  alice.replica.resume()
  await cluster.clock.advance(5000)
  bob.tab.happen('back')
  await cluster.clock.advance(5000)
  const quorum = watch(written.reached('quorum'))
  await cluster.clock.advance(5000)
  expect(quorum.isKept).toBe(true)
})

test.each(['followers', 'chain'] as const)(
  '[Q4] whom the leader lets only read goes on reading at a follower (%s), and what it wrote waits until it may',
  async links => {
    let isReader = true
    const { leader, tabs } = await following({
      followers: 2,
      links,
      reads: (user, url) => isReader && user === 'device-1' && url === 'ws://relay-0',
    })
    const [alice, bob] = tabs as [OpenTab, OpenTab]
    insert(bob, 'b')
    await cluster.clock.advance(5000)
    insert(alice, 'a')
    await cluster.clock.advance(5000)
    expect(bob.replica.notes.get('a')?.title).toBe('a')
    expect(bob.replica.status.get()).toMatchObject({
      connection: 'online',
      reason: 'not-permitted',
      pending: 1,
      quarantined: 0,
    })
    isReader = false
    await cluster.clock.advance(60_000)
    bob.replica.pause()
    bob.replica.resume()
    await cluster.clock.advance(5000)
    expect([await holds(leader, 'b'), bob.replica.status.get().pending]).toEqual([true, 0])
  },
)

test('[A3] a follower that has not met its leader leaves open whether there is a quorum', async () => {
  const { leader, followers, tabs } = await following({ followers: 1 })
  const [follower] = followers as [SimulatedRelay]
  cut(follower, leader)
  follower.crash()
  await follower.start()
  await cluster.clock.advance(10_000)
  const outcomes: string[] = []
  insert(tabs[0] as OpenTab, 'a')
    .reached('quorum')
    .then(
      () => outcomes.push('reached'),
      error => outcomes.push(error instanceof RejoinError ? error.code : String(error)),
    )
  await cluster.clock.advance(5000)
  expect(outcomes).toEqual([])
  await heal(follower, leader)
  expect(outcomes).toEqual(['ack-unavailable'])
})

test('[T3] only relays pass on: of a client such a frame ends the session', async () => {
  const { leader } = await following({ followers: 1 })
  const heard: Frame['type'][] = []
  const session = attach(leader.kernel, ({ type }) => void heard.push(type))
  session.receive(helloWith({ space, token: 'mallory', replica: 'AAAAAAAAAAA' as StoreId }))
  await cluster.clock.advance(100)
  session.receive({
    type: 'passed',
    session: 1,
    content: { kind: 'begin', user: 'alice', replica: 'AAAAAAAAAAA' as StoreId, device: '' },
  })
  await cluster.clock.advance(100)
  expect(heard).toEqual(['welcome', 'changes', 'refuse'])
})
