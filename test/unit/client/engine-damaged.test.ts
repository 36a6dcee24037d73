/** A row that the disk gives back garbled: it costs itself, and comes again from a relay. */
import { journalStores, journalVersion } from '@rejoin/client'
import { documentKey, type DocumentKey } from '@rejoin/core'
import { createChance, createSimulatedRelay } from '@rejoin/testkit'
import { expect, it } from 'vitest'
import { createWorld, epoch, until, within, type Notes, type World } from './engine-world.ts'

const name = 'rejoin//space'

interface Page {
  readonly lo: string
  readonly keys: string
  readonly keyEnds: Uint32Array
  readonly ends: Uint32Array
  readonly bytes: Uint8Array
}

/** A device that has pages, on which one document is damaged then; and it, and another one. */
async function damagedDevice(): Promise<{ world: World; damaged: string; sound: string }> {
  const world = createWorld()
  await world.relay.start()
  const alice = await world.open(world.device.openTab())
  const damaged = alice.notes.insert({ title: 'damaged', color: 'amber', tags: ['a'] }).id
  const sound = alice.notes.insert({ title: 'sound', color: 'amber' }).id
  for (let i = 0; i < 24; i++) alice.notes.insert({ title: 'x'.repeat(50_000), color: 'teal' })
  await within(world.clock, alice.settled())
  await until(world.clock, () => world.device.disk.image().get(name)?.stores.get('pages')?.keys.length !== 0)
  await world.clock.advance(5000)
  await within(world.clock, alice.close())
  await damage(world, documentKey('notes', damaged))
  return { world, damaged, sound }
}

async function damage(world: World, key: DocumentKey): Promise<void> {
  const storage = await world.device.openTab().ports.openStorage(name, journalVersion, journalStores)
  const stores = ['pages']
  const read = { stores, mode: 'readonly', requests: [{ op: 'getAll', store: 'pages' }] } as const
  const [pages] = (await within(world.clock, storage.transact(read))) as readonly [readonly Page[]]
  let count = 0
  for (const page of pages) {
    page.keyEnds.forEach((end, i) => {
      if (page.keys.slice(page.keyEnds[i - 1] ?? 0, end) !== key) return
      page.bytes.fill(0xff, page.ends[i - 1] ?? 0, page.ends[i])
      count += 1
    })
  }
  expect(count).toBe(1)
  const requests = pages.map(page => ({ op: 'put', store: 'pages', key: page.lo, value: page }) as const)
  await within(world.clock, storage.transact({ stores, mode: 'readwrite', durability: 'strict', requests }))
}

function listen(replica: Notes): { readonly told: unknown[]; readonly alarms: unknown[] } {
  const heard = { told: [] as unknown[], alarms: [] as unknown[] }
  replica.on('damaged', ({ code, details }) => heard.told.push({ code, details }))
  replica.on('alarm', () => heard.alarms.push('alarm'))
  return heard
}

it('[P4] a damaged row keeps no other from being shown, is told once, and comes again from a relay', async () => {
  const { world, damaged, sound } = await damagedDevice()
  const alice = await world.open(world.device.openTab(), { relays: [] })
  const { told } = listen(alice)
  expect(alice.notes.query({ where: { color: 'amber' } }).get()).toMatchObject([{ id: sound }])
  expect(alice.notes.get(damaged)).toBeUndefined()
  expect(() => alice.notes.update(damaged, { color: 'teal' })).toThrow('document-unknown')
  await world.clock.advance(100)
  expect(told).toEqual([{ code: 'storage-damaged', details: { document: documentKey('notes', damaged) } }])
  await within(world.clock, alice.close())

  const again = await world.open(world.device.openTab())
  const { alarms } = listen(again)
  const query = again.notes.query({ where: { color: 'amber' }, orderBy: 'title' })
  expect(query.get()).toHaveLength(1)
  await within(world.clock, again.settled())
  await until(world.clock, () => query.get().length === 2, 5000)
  expect(again.notes.get(damaged)).toMatchObject({ title: 'damaged', tags: ['a'] })
  await world.clock.advance(60_000)
  expect(again.status.get()).toMatchObject({ synced: true, storage: undefined })
  expect(alarms).toEqual([])
  await within(world.clock, again.close())

  // It came to the disk.
  const third = await world.open(world.device.openTab(), { relays: [] })
  expect(third.notes.get(damaged)).toMatchObject({ title: 'damaged' })
})

it('[S3] a relay that lacks everything is given what is sound, and nothing of what is damaged', async () => {
  const { world, damaged, sound } = await damagedDevice()
  const other = createSimulatedRelay({
    url: 'ws://other',
    clock: world.clock,
    chance: createChance(7),
    network: world.network,
    epoch: () => epoch,
    accept: () => true,
    peerToken: '',
  })
  await other.start()
  const alice = await world.open(world.device.openTab(), { relays: ['ws://other'] })
  const { told } = listen(alice)
  await within(world.clock, alice.settled())
  await until(world.clock, () => alice.status.get().synced, 10_000)
  expect(told).toHaveLength(1)
  const bob = await world.open(world.another('bob').openTab(), { relays: ['ws://other'] })
  await within(world.clock, bob.settled())
  expect(bob.notes.get(sound)).toMatchObject({ title: 'sound' })
  expect(bob.notes.get(damaged)).toBeUndefined()
  expect(bob.notes.query().get()).toHaveLength(25)
  // Who has it brings it to everybody.
  await within(world.clock, alice.close())
  const back = await world.open(world.device.openTab())
  await within(world.clock, back.settled())
  await until(world.clock, () => back.notes.get(damaged) !== undefined, 5000)
})

it('[P4] what waits for a relay on a damaged row is not shown with holes, and arrives', async () => {
  const world = createWorld()
  await world.relay.start()
  const alice = await world.open(world.device.openTab())
  const { id } = alice.notes.insert({ title: 'damaged', color: 'amber' })
  for (let i = 0; i < 24; i++) alice.notes.insert({ title: 'x'.repeat(50_000), color: 'teal' })
  await within(world.clock, alice.settled())
  alice.pause()
  await within(world.clock, alice.notes.update(id, { color: 'teal' }).reached('local'))
  await until(world.clock, () => world.device.disk.image().get(name)?.stores.get('pages')?.keys.length !== 0)
  await world.clock.advance(5000)
  await within(world.clock, alice.close())
  await damage(world, documentKey('notes', id))
  const again = await world.open(world.device.openTab(), { relays: [] })
  expect(again.notes.get(id)).toBeUndefined()
  expect(again.status.get().pending).toBe(1)
  await within(world.clock, again.close())
  const online = await world.open(world.device.openTab())
  online.resume()
  await until(world.clock, () => online.notes.get(id)?.color === 'teal', 10_000)
  await until(world.clock, () => online.status.get().synced, 10_000)
  expect(online.notes.get(id)).toMatchObject({ title: 'damaged', color: 'teal' })
})
