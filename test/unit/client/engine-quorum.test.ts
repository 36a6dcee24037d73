/** A replica that speaks with three relays at once, which are peers or not (SPEC L2, A2, W6, S3). */
import { createMemoryDatabase, journalStores, type OpenOptions } from '@rejoin/client'
import { RejoinError, type Write } from '@rejoin/core'
import { createChance, createSimulatedRelay, type SimulatedRelay } from '@rejoin/testkit'
import { expect, it } from 'vitest'
import { createWorld, epoch, until, within, type Notes, type World } from './engine-world.ts'

const urls = ['ws://a', 'ws://b', 'ws://c'] as const

interface Three {
  readonly world: World
  readonly relays: readonly [SimulatedRelay, SimulatedRelay, SimulatedRelay]
  open(options?: Partial<OpenOptions<never>>): Promise<Notes>
}

/** Three relays that know nothing of each other; a rule for each. */
async function three(accept: (url: string, write: Write) => true | string = () => true): Promise<Three> {
  const world = createWorld()
  const relays = urls.map((url, i) =>
    createSimulatedRelay({
      url,
      clock: world.clock,
      chance: createChance(i + 7),
      network: world.network,
      epoch: () => epoch,
      accept: write => accept(url, write),
      peerToken: '',
    }),
  ) as unknown as Three['relays']
  for (const relay of relays) await relay.start()
  return {
    world,
    relays,
    open: options =>
      world.open(world.device.openTab(), {
        relays: urls,
        mode: 'quorum',
        write: 2,
        read: 2,
        ...(options as object),
      }),
  }
}

function note(replica: Notes, title = 'a', id?: string) {
  return replica.notes.insert({ title, color: 'amber' }, id === undefined ? {} : { id })
}

async function holds(relay: SimulatedRelay, id: string): Promise<boolean> {
  const key = `notes/${id}` as never
  return (await relay.store.rows('space', [key])).has(key)
}

it('[A2] a write is at quorum when two of three relays have it, and goes to all of them', async () => {
  const { world, relays, open } = await three()
  const alice = await open()
  const written = note(alice)
  await within(world.clock, written.reached('relay'))
  await within(world.clock, written.reached('quorum'))
  const counts = await Promise.all(relays.map(relay => holds(relay, written.id)))
  expect(counts.filter(Boolean).length).toBeGreaterThanOrEqual(2)
  await until(world.clock, () => alice.status.get().relays.every(({ waiting }) => waiting === 0))
  expect(await Promise.all(relays.map(relay => holds(relay, written.id)))).toEqual([true, true, true])
  await until(world.clock, () => alice.status.get().synced)
})

it('what a dropped database cost is what no relay had, however many were wanted', async () => {
  const { world, relays, open } = await three()
  const alice = await open()
  await until(world.clock, () => alice.status.get().synced)
  for (const relay of relays.slice(1)) relay.crash()
  await within(world.clock, note(alice).reached('relay'))
  expect(alice.status.get().pending).toBe(1)
  alice.pause()
  note(alice, 'on this device alone')
  await world.clock.advance(2000)
  world.device.crash()
  const database = 'rejoin//space'
  world.device.disk.restore(new Map([[database, createMemoryDatabase(journalStores).image()]]))
  const told: unknown[] = []
  const again = await open()
  again.on('evicted', error => told.push(error))
  await world.clock.advance(1000)
  expect(told).toMatchObject([{ code: 'storage-evicted', details: { unsent: 1 } }])
})

it('[A2] one relay down: all goes on; two down: a quorum times out with what was reached; all back: all have all', async () => {
  const { world, relays, open } = await three()
  const alice = await open()
  await within(world.clock, note(alice).reached('quorum'))
  relays[2].crash()
  const withTwo = note(alice, 'two')
  await within(world.clock, withTwo.reached('quorum'))
  await within(world.clock, alice.settled())
  expect(alice.status.get()).toMatchObject({ synced: true, pending: 0 })
  relays[1].crash()
  const withOne = note(alice, 'one')
  await within(world.clock, withOne.reached('relay'))
  await expect(within(world.clock, withOne.reached('quorum', { timeoutMs: 5000 }))).rejects.toMatchObject({
    code: 'ack-timeout',
    details: { reached: 'relay', wanted: 'quorum' },
  })
  expect(alice.notes.get(withOne.id)?.title).toBe('one')
  await until(world.clock, () => !alice.status.get().synced)
  expect(alice.status.get()).toMatchObject({ connection: 'online', pending: 1 })
  expect(alice.status.get().relays.map(({ url, connection }) => [url, connection === 'online'])).toEqual([
    ['ws://a', true],
    ['ws://b', false],
    ['ws://c', false],
  ])
  await relays[1].start()
  await relays[2].start()
  await within(world.clock, withOne.reached('quorum'))
  await until(world.clock, () => alice.status.get().relays.every(({ waiting }) => waiting === 0))
  for (const relay of relays)
    expect([await holds(relay, withTwo.id), await holds(relay, withOne.id)]).toEqual([true, true])
})

it('[L2] what waits for a relay waits through a reload', async () => {
  const { world, relays, open } = await three()
  const alice = await open()
  await within(world.clock, alice.settled())
  relays[2].crash()
  const written = note(alice)
  await within(world.clock, written.reached('quorum'))
  await within(world.clock, alice.close())
  await relays[2].start()
  const again = await open()
  await until(world.clock, () => again.status.get().relays.every(({ waiting }) => waiting === 0))
  expect(await holds(relays[2], written.id)).toBe(true)
})

it('[L2] what one relay has, no refusal of another one takes out; it is told', async () => {
  const { world, relays, open } = await three((url, write) =>
    url === 'ws://c' && write.key.endsWith('/bad') ? 'not here' : true,
  )
  const alice = await open()
  await within(world.clock, alice.settled())
  const bad = note(alice, 'bad', 'bad')
  await within(world.clock, bad.reached('quorum'))
  await until(world.clock, () => alice.status.get().relays[2]?.refused === 1)
  expect(alice.quarantine.get()).toEqual([])
  expect(alice.notes.get('bad')?.title).toBe('bad')
  // And what stands on it, and beside it, goes on.
  await within(world.clock, alice.notes.update('bad', { color: 'teal' }).reached('quorum'))
  const beside = note(alice, 'beside')
  await within(world.clock, beside.reached('quorum'))
  // Only the two that touch what is refused there still wait for it.
  await until(world.clock, () => alice.status.get().relays[2]?.waiting === 2)
  expect(await holds(relays[2], beside.id)).toBe(true)
})

it('[W6] what all relays refuse goes to the quarantine once, and what stood on it with it', async () => {
  const { world, open } = await three((_, write) => (write.key.endsWith('/bad') ? 'nowhere' : true))
  const alice = await open()
  await within(world.clock, alice.settled())
  const bad = note(alice, 'bad', 'bad')
  const onBad = alice.notes.update('bad', { color: 'teal' })
  const good = note(alice, 'good')
  await within(world.clock, good.reached('quorum'))
  await expect(within(world.clock, bad.reached('relay'))).rejects.toMatchObject({ code: 'refused-by-rule' })
  await expect(within(world.clock, onBad.reached('relay'))).rejects.toBeInstanceOf(RejoinError)
  expect(alice.quarantine.get()).toHaveLength(2)
  await until(world.clock, () => alice.status.get().synced)
})

it('[W6] what a relay refuses while another one may have taken it waits for that one, and is not made twice', async () => {
  let isForbidden = false
  const { world, relays, open } = await three((url, write) =>
    isForbidden && url !== 'ws://c' && write.key.endsWith('/odd') ? 'not any more' : true,
  )
  const alice = await open()
  await within(world.clock, alice.settled())
  isForbidden = true
  // It takes the write, and the verdict is lost with it.
  relays[2].crashAfterVerdict()
  relays[2].loseVerdict()
  const odd = note(alice, 'odd', 'odd')
  await until(world.clock, () => alice.status.get().relays[2]?.connection !== 'online')
  await within(world.clock, note(alice, 'beside').reached('quorum'))
  await within(world.clock, odd.reached('relay'))
  expect(alice.quarantine.get()).toEqual([])
  expect(alice.notes.get('odd')?.views).toBe(0)
  expect(await holds(relays[2], 'odd')).toBe(true)
})

it('[W6] what a relay may have taken is not made anew after a reload either, though its writer was, for another write', async () => {
  const { world, relays, open } = await three((url, write) =>
    write.key.endsWith('/bad') || (url !== 'ws://c' && write.key.endsWith('/odd')) ? 'not here' : true,
  )
  const alice = await open()
  await until(world.clock, () => alice.status.get().relays.every(({ caughtUp }) => caughtUp))
  relays[2].loseVerdict()
  const odd = note(alice, 'odd', 'odd')
  await until(world.clock, () => alice.status.get().relays[2]?.connection !== 'online')
  world.network.cut('alice', 'ws://c', 'told')
  expect(await holds(relays[2], odd.id)).toBe(true)
  note(alice, 'bad', 'bad')
  alice.notes.update('bad', { color: 'teal' })
  await until(world.clock, () => alice.quarantine.get().length === 2)
  expect(alice.status.get().pending).toBe(1)
  await within(world.clock, alice.close())
  const again = await open()
  await world.clock.advance(30_000)
  expect(again.quarantine.get()).toHaveLength(2)
  expect(again.status.get().pending).toBe(1)
  world.network.heal('alice', 'ws://c')
  await until(world.clock, () => again.status.get().relays[2]?.waiting === 0)
  await world.clock.advance(5000)
  expect(again.quarantine.get()).toHaveLength(2)
  expect(again.notes.get('odd')?.title).toBe('odd')
})

it('[W6] what a relay that is gone may have taken waits for it until it is taken out of the list', async () => {
  const { world, relays, open } = await three((url, write) =>
    url !== 'ws://c' && write.key.endsWith('/odd') ? 'not here' : true,
  )
  const alice = await open()
  await until(world.clock, () => alice.status.get().relays.every(({ caughtUp }) => caughtUp))
  relays[2].loseVerdict()
  note(alice, 'odd', 'odd')
  await until(world.clock, () => alice.status.get().relays[2]?.connection !== 'online')
  relays[2].crash()
  await world.clock.advance(60_000)
  expect([alice.status.get().pending, alice.quarantine.get().length]).toEqual([1, 0])
  await within(world.clock, alice.close())
  const again = await open({ relays: ['ws://a', 'ws://b'] })
  await until(world.clock, () => again.status.get().synced)
  expect(again.quarantine.get()).toHaveLength(1)
})

it('[L2] a relay that is taken out of the list counts no more, and is not waited for', async () => {
  const { world, relays, open } = await three()
  const alice = await open()
  await within(world.clock, alice.settled())
  relays[1].crash()
  relays[2].crash()
  const written = note(alice)
  await within(world.clock, written.reached('relay'))
  await within(world.clock, alice.close())
  relays[0].crash()
  await relays[1].start()
  const again = await open({ relays: ['ws://b', 'ws://c'], read: 1 })
  await until(world.clock, () => again.status.get().relays[0]?.waiting === 0)
  expect(again.status.get()).toMatchObject({ synced: false, pending: 1 })
  await relays[2].start()
  await until(world.clock, () => again.status.get().synced)
  expect([await holds(relays[1], written.id), await holds(relays[2], written.id)]).toEqual([true, true])
})

it('[L2] what a relay alone has that is taken out of the list, and what the others refuse, is told its author, and shows on', async () => {
  const { world, open } = await three((url, write) =>
    url === 'ws://a' || !write.key.endsWith('/odd') ? true : 'not here',
  )
  const alice = await open()
  const odd = note(alice, 'odd', 'odd')
  await within(world.clock, odd.reached('relay'))
  await until(world.clock, () => alice.status.get().relays.every(({ caughtUp }) => caughtUp))
  await world.clock.advance(10_000)
  expect([alice.status.get().pending, alice.quarantine.get().length]).toEqual([1, 0])
  await within(world.clock, alice.close())
  const again = await open({ relays: ['ws://b', 'ws://c'] })
  await until(world.clock, () => again.status.get().synced)
  expect(again.quarantine.get()).toMatchObject([{ error: { code: 'refused-by-rule' } }])
  expect(again.notes.get('odd')).toMatchObject({ title: 'odd' })
  await within(world.clock, note(again, 'next', 'next').reached('quorum'))
  // It is not forgotten where it is.
  await within(world.clock, again.close())
  const back = await open()
  await until(world.clock, () => back.status.get().relays.every(({ caughtUp }) => caughtUp))
  expect(back.notes.get('odd')).toMatchObject({ title: 'odd' })
})

it('[C4] a device that was an hour ahead writes the same thing once', async () => {
  const { world, relays, open } = await three()
  world.device.skewMs = 3_600_000
  for (const relay of relays) relay.crash()
  const alice = await open()
  const first = note(alice, 'first', 'first')
  const second = alice.notes.update('first', { views: { increment: 1 } })
  await within(world.clock, second.reached('local'))
  for (const relay of relays) await relay.start()
  await within(world.clock, Promise.all([first.reached('quorum'), second.reached('quorum')]))
  await until(world.clock, () => alice.status.get().relays.every(({ waiting }) => waiting === 0))
  const bob = await world.open(world.another('bob').openTab(), { relays: ['ws://b'] })
  await within(world.clock, bob.settled())
  expect(bob.notes.get('first')).toMatchObject({ title: 'first', views: 1 })
  expect(alice.quarantine.get()).toEqual([])
})

it('[S3] what one relay tells, the others are given, and then there is rest', async () => {
  const { world, relays, open } = await three()
  const alice = await open()
  await within(world.clock, alice.settled())
  const bob = await world.open(world.another('bob').openTab(), { relays: ['ws://b'], token: () => 'bob' })
  const written = note(bob, 'from bob')
  await within(world.clock, written.reached('relay'))
  await until(world.clock, () => alice.notes.get(written.id) !== undefined)
  await world.clock.advance(10_000)
  for (const relay of relays) expect(await holds(relay, written.id)).toBe(true)
  // Nobody is given anything any more: each give would show.
  const told: unknown[] = []
  alice.status.subscribe(status => told.push(status))
  await world.clock.advance(60_000)
  expect(told).toEqual([alice.status.get()])
})

it('[S3] what a relay refuses to be given keeps nothing else from it, and is not offered over and over', async () => {
  const offered: string[] = []
  const { world, relays, open } = await three((url, { key }) => {
    if (url === 'ws://c') offered.push(key)
    return url === 'ws://c' && key.endsWith('/bad') ? 'not here' : true
  })
  const alice = await open()
  await within(world.clock, alice.settled())
  const bob = await world.open(world.another('bob').openTab(), { relays: ['ws://b'], token: () => 'bob' })
  for (const id of ['bad', 'good', 'better']) {
    await within(world.clock, note(bob, `from bob, ${id}`, id).reached('relay'))
    await world.clock.advance(10_000)
  }
  expect(await Promise.all(['bad', 'good', 'better'].map(id => holds(relays[2], id)))).toEqual([
    false,
    true,
    true,
  ])
  expect(offered).toEqual(['notes/bad', 'notes/good', 'notes/better'])
  // In the next session it is.
  await within(world.clock, alice.close())
  await within(world.clock, (await open()).settled())
  await world.clock.advance(10_000)
  expect(offered.slice(3)).toEqual(['notes/bad'])
})

it('[S3] who reads at another relay is shown a write with what its author had seen, though only the first one told that', async () => {
  const { world, open } = await three()
  const alice = await open()
  note(alice, 'shared', 'shared')
  const [bob, carol] = [
    await world.open(world.another('bob').openTab(), { relays: ['ws://a'], token: () => 'bob' }),
    await world.open(world.another('carol').openTab(), { relays: ['ws://b'], token: () => 'carol' }),
  ]
  for (const { notes } of [bob, carol]) await until(world.clock, () => notes.get('shared') !== undefined)
  const shown: (readonly [string | undefined, boolean])[] = []
  carol.notes.query().subscribe(rows => {
    for (const { color, tags } of rows) shown.push([color, tags.includes('bob')])
  })
  bob.notes.update('shared', { tags: { add: ['bob'] } })
  await until(world.clock, () => alice.notes.get('shared')?.tags.includes('bob') === true)
  const answer = alice.notes.update('shared', { color: 'teal' })
  await within(world.clock, answer.reached('quorum'))
  await until(world.clock, () => carol.notes.get('shared')?.color === 'teal')
  expect(shown.filter(([color]) => color === 'teal')).not.toContainEqual(['teal', false])
})

it('[S3] what a relay told counts as told also where its session ends while that is stored', async () => {
  /** Bob writes at the first relay, alice answers at once, and carol reads both at the second. */
  async function run(cutAt: number): Promise<{ readonly seenAt: number; readonly inOrder: boolean }> {
    const { world, open } = await three()
    const alice = await open()
    note(alice, 'shared', 'shared')
    const bob = await world.open(world.another('bob').openTab(), { relays: ['ws://a'], token: () => 'bob' })
    const carol = await world.open(world.another('carol').openTab(), {
      relays: ['ws://b'],
      token: () => 'carol',
    })
    for (const { notes } of [bob, carol]) await until(world.clock, () => notes.get('shared') !== undefined)
    await world.clock.advance(5000)
    let seenAt = 0
    alice.notes.query().subscribe(([shared]) => {
      if (seenAt > 0 || shared?.tags.includes('bob') !== true) return
      seenAt = world.time
      queueMicrotask(() => alice.notes.update('shared', { color: 'teal' }))
    })
    let inOrder = true
    carol.notes.query().subscribe(([shared]) => {
      if (shared?.color === 'teal' && !shared.tags.includes('bob')) inOrder = false
    })
    world.clock.after(cutAt - world.time, () => world.network.cut(world.device.name, 'ws://a', 'told'))
    bob.notes.update('shared', { tags: { add: ['bob'] } })
    await world.clock.advance(10_000)
    return { seenAt, inOrder }
  }

  const { seenAt } = await run(1_000_000)
  for (let earlier = 0; earlier < 8; earlier++) expect((await run(seenAt - earlier)).inOrder).toBe(true)
})

it('[S3] what stands on a write that a relay refused goes there behind the document, as it is where that was taken', async () => {
  let isRefused = false
  const { world, relays, open } = await three((url, { key }) =>
    isRefused && url === 'ws://c' && key.endsWith('/shared') ? 'not now' : true,
  )
  const alice = await open()
  await within(world.clock, note(alice, 'shared', 'shared').reached('quorum'))
  const carol = await world.open(world.another('carol').openTab(), {
    relays: ['ws://c'],
    token: () => 'carol',
  })
  await until(world.clock, () => carol.notes.get('shared') !== undefined)
  const shown: (readonly [string | undefined, boolean])[] = []
  carol.notes.query().subscribe(rows => {
    for (const { color, tags } of rows) shown.push([color, tags.includes('alice')])
  })
  isRefused = true
  // It hears of the write last: what a relay refuses first of all is in the quarantine.
  world.network.cut(world.device.name, 'ws://c', 'told')
  await within(world.clock, alice.notes.update('shared', { tags: { add: ['alice'] } }).reached('quorum'))
  world.network.heal(world.device.name, 'ws://c')
  await until(world.clock, () => alice.status.get().relays[2]?.refused === 1)
  isRefused = false
  alice.notes.update('shared', { color: 'teal' })
  await until(world.clock, () => carol.notes.get('shared')?.color === 'teal')
  expect(shown.filter(([color]) => color === 'teal')).not.toContainEqual(['teal', false])
  expect(await holds(relays[2], 'shared')).toBe(true)
})

it('write and read are checked when it is opened', async () => {
  const { open } = await three()
  const refused = async (options: object): Promise<unknown> =>
    open(options as never).then(
      () => 'opened',
      (error: unknown) => (error instanceof RejoinError ? error.code : error),
    )
  expect(await refused({ write: 0 })).toBe('quorum-invalid')
  expect(await refused({ read: 4 })).toBe('quorum-invalid')
  expect(await refused({ write: 1.5 })).toBe('quorum-invalid')
  expect(await refused({ write: 1, read: 2 })).toBe('quorum-invalid')
  expect(await refused({ relays: ['ws://a', 'ws://a', 'ws://b'] })).toBe('quorum-invalid')
  expect(await refused({ mode: 'failover', unsafe: undefined })).toBeInstanceOf(TypeError)
  expect(await refused({ write: 1, read: 2, unsafe: true })).toBe('opened')
})
