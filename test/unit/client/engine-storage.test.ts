/** What a replica does for its own store: pages, forgetting, and a store that is gone or was left in disorder. */
import { createMemoryDatabase, createMemoryStorage, journalStores, journalVersion } from '@rejoin/client'
import { documentKey, limits, RejoinError, type OpenStorage, type StorageLoss } from '@rejoin/core'
import { createChance, createSimulatedRelay, readDevice, type SimulatedTab } from '@rejoin/testkit'
import { expect, it } from 'vitest'
import { createWorld, epoch, until, within, type Notes, type World } from './engine-world.ts'

const name = 'rejoin//space'

function recordsIn(world: World, store: string): number {
  return world.device.disk.image().get(name)?.stores.get(store)?.keys.length ?? 0
}

async function online(): Promise<{ world: World; alice: Notes }> {
  const world = createWorld()
  await world.relay.start()
  const alice = await world.open(world.device.openTab())
  await within(world.clock, alice.settled())
  return { world, alice }
}

/** More than what makes pages worth writing. */
async function writeMuch(world: World, alice: Notes): Promise<void> {
  for (let i = 0; i < 24; i++) alice.notes.insert({ title: 'x'.repeat(50_000), color: `${i}` })
  await within(world.clock, alice.settled())
}

it('a journal of many small chunks is folded when nothing else is to be done', async () => {
  const { world, alice } = await online()
  for (let i = 0; i < 300; i++) {
    alice.notes.insert({ title: 'a', color: `${i}` })
    await world.clock.advance(20)
  }
  await within(world.clock, alice.settled())
  expect(recordsIn(world, 'journal')).toBeGreaterThan(500)
  await until(world.clock, () => recordsIn(world, 'journal') < 100)
  const again = await world.open(world.device.openTab())
  expect(again.notes.query().get()).toHaveLength(300)
})

it('a journal that has grown is written into pages, and a tab that opens reads these', async () => {
  const { world, alice } = await online()
  await writeMuch(world, alice)
  await until(world.clock, () => recordsIn(world, 'pages') > 0)
  await until(world.clock, () => recordsIn(world, 'journal') < 5)
  const again = await world.open(world.device.openTab(), { relays: [] })
  expect(again.notes.query().get()).toHaveLength(24)
  expect(again.status.get().pending).toBe(0)
})

it('[D2] a tombstone is forgotten when nothing of it changed for T, and not a day before', async () => {
  const { world, alice } = await online()
  const gone = alice.notes.insert({ title: 'gone', color: 'amber' })
  const kept = alice.notes.insert({ title: 'kept', color: 'amber' })
  await within(world.clock, alice.settled())
  alice.notes.delete(gone.id)
  await within(world.clock, alice.settled())
  await writeMuch(world, alice)
  await until(world.clock, () => recordsIn(world, 'pages') > 0 && recordsIn(world, 'journal') < 5)
  await within(world.clock, alice.close())

  const holds = async (id: string): Promise<boolean> =>
    (await readDevice(world.device.disk, name))?.state.confirmed(documentKey('notes', id)) !== undefined
  const comeBackAfter = async (ms: number): Promise<Notes> => {
    world.shiftRelay(ms)
    world.device.skewMs += ms
    const replica = await world.open(world.device.openTab())
    await within(world.clock, replica.settled())
    await world.clock.advance(150_000)
    return replica
  }
  const day = 24 * 3_600_000
  // What was stored two days later tells that the tombstone is older than that.
  await within(world.clock, (await comeBackAfter(2 * day)).close())
  const early = await comeBackAfter(limits.tombstoneMs - day)
  expect(await holds(gone.id)).toBe(true)
  await within(world.clock, early.close())
  const late = await comeBackAfter(2 * day)
  expect(await holds(gone.id)).toBe(false)
  expect(await holds(kept.id)).toBe(true)
  // It may be written again: by another writer than the one that had written it.
  await within(world.clock, late.notes.insert({ title: 'new', color: 'b' }, { id: gone.id }).reached('relay'))
  expect(late.notes.get(gone.id)?.title).toBe('new')
  expect(late.status.get().quarantined).toBe(0)
})

it('a database that the browser dropped is told, with what it cost, and is pulled again', async () => {
  const { world, alice } = await online()
  alice.notes.insert({ title: 'on the relay', color: 'amber' })
  await within(world.clock, alice.settled())
  alice.pause()
  alice.notes.insert({ title: 'on this device alone', color: 'amber' })
  await world.clock.advance(2000)
  world.device.crash()
  world.device.disk.restore(new Map([[name, createMemoryDatabase(journalStores).image()]]))
  const again = await world.open(world.device.openTab())
  const told: unknown[] = []
  again.on('evicted', error => told.push(error))
  await within(world.clock, again.settled())
  expect(told).toMatchObject([{ code: 'storage-evicted', details: { unsent: 1 } }])
  expect(again.notes.query().get()).toHaveLength(1)
})

it('a store that was left in disorder is scrubbed once, and one that was closed is not', async () => {
  const { world, alice } = await online()
  alice.notes.insert({ title: 'a', color: 'b' })
  await within(world.clock, alice.settled())
  world.device.crash()
  const transactions = (): number => world.device.disk.counts.transactions
  const costOfOpening = async (): Promise<number> => {
    const before = transactions()
    const replica = await world.open(world.device.openTab())
    await within(world.clock, replica.settled())
    const cost = transactions() - before
    await within(world.clock, replica.close())
    return cost
  }
  const unclean = await costOfOpening()
  const clean = await costOfOpening()
  // Two that scrub, and one that takes note of it.
  expect(unclean - clean).toBe(3)
})

it('a replica whose store does not answer opens in memory, and goes on from there', async () => {
  const world = createWorld()
  await world.relay.start()
  const tab = world.device.openTab()
  const alice = await world.open(tab, {
    name: 'blocked',
    ports: {
      ...tab.ports,
      openStorage: () => Promise.reject(new RejoinError('storage-blocked', { reason: 'test' }, 'blocked')),
    },
  })
  expect(alice.status.get()).toMatchObject({ persistence: 'memory', storage: 'storage-blocked' })
  await within(world.clock, alice.notes.insert({ title: 'a', color: 'b' }).reached('relay'))
  await within(world.clock, alice.close())
})

async function openBlocked(
  world: World,
  code: 'storage-blocked' | 'storage-full' = 'storage-blocked',
): Promise<Notes> {
  const tab = world.device.openTab()
  const openStorage = (): Promise<never> => Promise.reject(new RejoinError(code, { reason: 'test' }, code))
  return world.open(tab, { ports: { ...tab.ports, openStorage } })
}

it('[A2] in memory that nobody chose, a write cannot be on this device’s disk, and that is said', async () => {
  const world = createWorld()
  await world.relay.start()
  const alice = await openBlocked(world)
  const written = alice.notes.insert({ title: 'a', color: 'b' })
  await expect(written.reached('local')).rejects.toMatchObject({
    code: 'ack-unavailable',
    details: { wanted: 'local', available: ['relay'] },
  })
  await within(world.clock, written.reached('relay'))
  alice.pause()
  const late = alice.notes.insert({ title: 'b', color: 'b' }).reached('relay', { timeoutMs: 1000 })
  await expect(within(world.clock, late)).rejects.toMatchObject({ details: { reached: 'visible' } })
})

it('[A2] in memory that was chosen, local means in that store', async () => {
  const world = createWorld()
  const tab = world.device.openTab()
  const openStorage = createMemoryStorage()
  const alice = await world.open(tab, { ports: { ...tab.ports, openStorage, persistence: 'memory' } })
  await within(world.clock, alice.notes.insert({ title: 'a', color: 'b' }).reached('local'))
})

it('a disk that is full at the very first opening leaves a replica in memory', async () => {
  const world = createWorld()
  world.device.disk.fail('storage-full')
  const alice = await world.open(world.device.openTab())
  expect(alice.status.get()).toMatchObject({ persistence: 'memory', storage: 'storage-full' })
  world.device.disk.fail(null)
  const again = await world.open(world.device.openTab())
  expect(again.status.get()).toMatchObject({ persistence: 'indexeddb', storage: undefined })
})

it('two devices of one process that both fall back to memory share nothing', async () => {
  const world = createWorld()
  const alice = await openBlocked(world)
  alice.notes.insert({ title: 'of alice alone', color: 'b' })
  await world.clock.advance(100)
  const tab = world.another('bob').openTab()
  const openStorage = (): Promise<never> =>
    Promise.reject(new RejoinError('storage-blocked', { reason: 'test' }, 'blocked'))
  const bob = await world.open(tab, { ports: { ...tab.ports, openStorage } })
  expect(bob.notes.query().get()).toEqual([])
})

it('what was refused can be sent again without a disk', async () => {
  const world = createWorld()
  let isStrict = true
  const refusing = createSimulatedRelay({
    url: 'ws://relay',
    clock: world.clock,
    chance: createChance(7),
    network: world.network,
    epoch: () => epoch,
    accept: () => !isStrict || 'not now',
    peerToken: '',
  })
  await refusing.start()
  const alice = await openBlocked(world)
  alice.notes.insert({ title: 'a', color: 'b' })
  await until(world.clock, () => alice.quarantine.get().length === 1)
  isStrict = false
  const [item] = alice.quarantine.get()
  if (item === undefined) throw new Error('nothing was refused')
  const again = await within(world.clock, alice.quarantine.sendAgain(item.id))
  await within(world.clock, again?.reached('relay') ?? Promise.reject(new Error('nothing was sent')))
  expect(alice.quarantine.get()).toEqual([])
})

/** A tab whose database can be taken away from it, as a browser does at its user's wish, or a newer version. */
function openLosing(world: World): { readonly tab: SimulatedTab; readonly lose: () => void } {
  const tab = world.device.openTab()
  const listeners = new Set<(loss: StorageLoss) => void>()
  let isLost = false
  const openStorage: OpenStorage = async (...of) => {
    const storage = await tab.ports.openStorage(...of)
    return {
      ...storage,
      transact: options =>
        isLost
          ? Promise.reject(new RejoinError('storage-closed', { reason: 'lost' }, 'it is lost'))
          : storage.transact(options),
      onLost(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    }
  }
  return {
    tab: { ...tab, ports: { ...tab.ports, openStorage } },
    lose() {
      isLost = true
      for (const listener of [...listeners]) listener('taken')
    },
  }
}

it('[Q4, W1] a tab whose database was deleted lets go of all that the next one of its name needs, and says what became of it', async () => {
  const world = createWorld()
  await world.relay.start()
  const { tab, lose } = openLosing(world)
  const old = await world.open(tab)
  await within(world.clock, old.settled())
  old.pause()
  const kept = old.notes.insert({ title: 'kept', color: 'amber' })
  await within(world.clock, kept.reached('local'))
  await world.clock.advance(1000)
  const waiting = kept.reached('relay')
  const unsaved: unknown[] = []
  old.on('unsaved', ({ error }) => unsaved.push(error.code))
  world.device.disk.restore(new Map())
  lose()
  await expect(within(world.clock, waiting)).rejects.toMatchObject({ code: 'storage-closed' })
  await expect(within(world.clock, old.settled())).rejects.toMatchObject({ code: 'storage-closed' })
  expect(old.status.get()).toMatchObject({ connection: 'offline', synced: false, storage: 'storage-closed' })
  const late = old.notes.insert({ title: 'late', color: 'amber' })
  await expect(within(world.clock, late.reached('local'))).rejects.toMatchObject({ code: 'storage-closed' })
  expect(unsaved).toEqual(['storage-closed'])

  const again = await world.open(world.device.openTab(), { token: () => 'bob' })
  const told: unknown[] = []
  again.on('evicted', ({ details }) => told.push(details))
  await within(world.clock, again.settled(), 5000)
  expect(again.status.get()).toMatchObject({ synced: true, user: 'bob' })
  expect(told).toEqual([{ unsent: 1 }])
  // Nothing of the new database is for who has the old one.
  await within(world.clock, again.notes.insert({ title: 'new', color: 'amber' }).reached('relay'))
  tab.happen('leave')
  tab.happen('back')
  await world.clock.advance(20_000)
  expect(
    old.notes
      .query()
      .get()
      .map(({ title }) => title),
  ).toEqual(['kept', 'late'])
  expect(old.status.get().connection).toBe('offline')
  await within(world.clock, old.close())

  await within(world.clock, again.close())
  const third = await world.open(world.device.openTab(), { token: () => 'bob' })
  third.on('evicted', ({ details }) => told.push(details))
  await within(world.clock, third.settled())
  expect(told).toHaveLength(1)
})

it('a tab of an older version that meets what it cannot read lets others have the connection, and stores what it writes', async () => {
  const { world, alice } = await online()
  const other = world.device.openTab()
  const storage = await other.ports.openStorage(name, journalVersion, journalStores)
  const add = (bytes: Uint8Array): Promise<readonly unknown[]> =>
    storage.transact({
      stores: ['journal'],
      mode: 'readwrite',
      durability: 'strict',
      requests: [{ op: 'add', store: 'journal', value: { bytes } }],
    })
  const newer = new Uint8Array([255, 1])
  const [position] = await within(world.clock, add(newer))
  // Announced as well, as whoever stores something does.
  other.ports.openChannel(name, () => {}).post({ position, bytes: newer })
  await world.clock.advance(1000)
  expect(alice.status.get()).toMatchObject({
    connection: 'offline',
    synced: false,
    storage: 'storage-closed',
  })
  let isFree = false
  other.ports.locks.request(`${name} connection`, { ifAvailable: true }, async got => void (isFree = got))
  await world.clock.advance(100)
  expect(isFree).toBe(true)
  const before = recordsIn(world, 'journal')
  alice.notes.insert({ title: 'for the newer version to send', color: 'amber' })
  await world.clock.advance(1000)
  expect(recordsIn(world, 'journal')).toBe(before + 1)
  await within(world.clock, alice.close())
})

it('[W1, X9] what the engine aborts waits for the next try, and so does what is typed upon it', async () => {
  const { world, alice } = await online()
  const note = alice.notes.insert({ title: 'a', color: 'amber' })
  const body = alice.notes.text(note.id, 'body')
  await within(world.clock, body.whenReady)
  await within(world.clock, alice.settled())
  const unsaved: unknown[] = []
  alice.on('unsaved', told => unsaved.push(told))
  world.device.disk.abortNext()
  body.text.insert(0, 'typed ')
  await world.clock.advance(200)
  expect(alice.status.get()).toMatchObject({ storage: 'storage-closed', unsaved: 1 })
  body.text.insert(6, 'and more')
  await until(world.clock, () => alice.status.get().unsaved === 0, 1000)
  expect(alice.status.get().storage).toBeUndefined()
  await within(world.clock, alice.settled())
  expect(alice.status.get()).toMatchObject({ synced: true, quarantined: 0 })
  expect(unsaved).toEqual([])
  const again = await world.open(world.device.openTab())
  const read = again.notes.text(note.id, 'body')
  await within(world.clock, read.whenReady)
  expect(read.text.toString()).toBe('typed and more')
})
