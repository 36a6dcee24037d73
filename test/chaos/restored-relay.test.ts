// A relay that lost what it had acknowledged, since its file was replaced by an older copy: its clients give it back.
// And a relay whose rule refuses one write of many.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReplicaEvents } from '@rejoin/client'
import { createChance, type Chance } from '@rejoin/testkit'
import { expect, onTestFinished, test } from 'vitest'
import {
  openNewcomer,
  openNodeClient,
  readAll,
  readBody,
  untilSame,
  untilSynced,
  type NodeClient,
} from './harness/node-client.ts'
import { startRelayProcess, type RelayProcess } from './harness/relay-process.ts'
import { readStored } from './harness/stored.ts'
import { until } from './harness/until.ts'
import { soak } from '../soak.ts'

type Repair = ReplicaEvents['repaired']

const seeds = Array.from({ length: soak(10, 1) }, (_, i) => 20 + i)

test.each(seeds)(
  '[S2, T2] what a relay lost with its file comes back from its clients, deletions too, and both say how much (seed %i)',
  async seed => {
    const chance = createChance(seed)
    const relay = await startRelay()
    const [alice, bob, carol] = await openClients(relay, ['alice', 'bob', 'carol'])
    const repairs = new Map<NodeClient, Repair[]>([alice, bob, carol].map(client => [client, []]))
    for (const [client, list] of repairs) client.on('repaired', repair => list.push(repair))

    // A thousand writes, and a copy of the file.
    for (let i = 0; i < 1000; i++) {
      const client = [alice, bob, carol][i % 3] ?? alice
      client.notes.insert(
        { title: `n${i}`, color: 'old', tags: ['old'], body: i % 5 === 0 ? `text ${i}\n` : '' },
        { id: `n${i}` },
      )
    }
    await untilSynced([alice, bob, carol])
    const copy = join(await createFolder(), 'copy.db')
    await relay.stop()
    copyFileSync(relay.path, copy)
    await relay.start()
    for (const client of repairs.keys()) client.resume()
    await untilSynced([alice, bob, carol])

    // A thousand more, of which alice does not see the last hundred.
    const touchedEarly = new Set<string>()
    const touchedLate = new Set<string>()
    for (let i = 0; i < 1000; i++) {
      if (i === 900) {
        await untilSame([alice, bob, carol])
        alice.pause()
      }
      const client = (i < 900 ? [alice, bob, carol] : [bob, carol])[i % (i < 900 ? 3 : 2)] ?? bob
      const id = await writeMore(client, i, chance)
      if (i < 900) touchedEarly.add(id)
      else touchedLate.add(id)
    }
    await untilSame([bob, carol])
    const expected = await readAll(bob)
    const touched = new Set([...touchedEarly, ...touchedLate])
    const deleted = [...touched].filter(id => bob.notes.get(id) === undefined)
    expect(deleted.length).toBeGreaterThan(50)
    expect(Object.keys(expected).length).toBeGreaterThan(1100)
    carol.pause()
    bob.pause()
    expect([...repairs.values()].flat()).toEqual([])

    // The power goes, and the file is the old one.
    const before = await readStored(relay.path, nobody)
    await relay.kill()
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${relay.path}${suffix}`, { force: true })
    copyFileSync(copy, relay.path)
    await relay.start()
    const after = await readStored(relay.path, nobody)
    expect(after.positions['team']).toBeLessThan(before.positions['team'] ?? 0)

    // Alice was away for the last hundred writes: she gives what she has.
    alice.resume()
    await untilSynced([alice])
    expect(repairs.get(alice)?.length).toBe(1)
    const [fromAlice] = repairs.get(alice) ?? []
    expect(fromAlice).toMatchObject({ gave: touchedEarly.size, took: 0, refused: [] })
    // Bob has the rest; then carol has nothing that the relay lacks.
    bob.resume()
    await untilSynced([alice, bob])
    const [fromBob] = repairs.get(bob) ?? []
    expect(fromBob).toMatchObject({ gave: touchedLate.size, took: 0, refused: [] })
    carol.resume()
    await untilSynced([alice, bob, carol])
    expect(repairs.get(carol)).toEqual([])

    const newcomer = await openNewcomer(relay.url)
    onTestFinished(() => newcomer.close())
    await untilSame([alice, bob, carol, newcomer])
    for (const client of [alice, bob, carol, newcomer]) {
      expect(await readAll(client)).toEqual(expected)
      for (const id of deleted) expect(client.notes.get(id)).toBe(undefined)
    }
    const told = relay.log.filter(({ msg }) => msg === 'a client gave back rows')
    expect(told.map(({ user, rows, refused }) => ({ user, rows, refused }))).toEqual([
      { user: 'alice', rows: touchedEarly.size, refused: 0 },
      { user: 'bob', rows: touchedLate.size, refused: 0 },
    ])
    expect(relay.log.filter(({ level }) => level >= 50)).toEqual([])
    console.log(
      `1000 writes lost in ${touched.size} documents: ${fromAlice?.gave} given by alice, ${fromBob?.gave} by bob`,
    )
  },
)

test.each(seeds)(
  '[S2, S3] clients that all come back at once, with writes of their own, heal a relay that lost half (seed %i)',
  async seed => {
    const chance = createChance(seed)
    const relay = await startRelay()
    const clients = await openClients(relay, ['alice', 'bob', 'carol'])
    const copy = join(await createFolder(), 'copy.db')
    const written = new Set<string>()
    const deleted = new Set<string>()
    const writeAll = async (from: number, to: number): Promise<void> => {
      for (let i = from; i < to; i++) {
        const client = clients[i % 3] ?? clients[0]
        const id = await writeMore(client, i, chance)
        written.add(id)
        if (client.notes.get(id) === undefined) deleted.add(id)
      }
    }
    await writeAll(0, 300)
    await untilSame(clients)
    await relay.stop()
    copyFileSync(relay.path, copy)
    await relay.start()
    for (const client of clients) client.resume()
    await writeAll(300, 600)
    await untilSame(clients)
    const [alice] = clients
    const gone = [...deleted].filter(id => alice.notes.get(id) === undefined)

    await relay.kill()
    await writeAll(600, 700)
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${relay.path}${suffix}`, { force: true })
    copyFileSync(copy, relay.path)
    await relay.start()
    for (const client of clients) client.resume()
    const newcomer = await openNewcomer(relay.url)
    onTestFinished(() => newcomer.close())
    await untilSame([...clients, newcomer])
    const isHere = (id: string): boolean => newcomer.notes.get(id) !== undefined
    // Nobody deletes what they do not see, so a document that was gone for all stays gone.
    expect([...written].filter(id => !deleted.has(id) && !isHere(id))).toEqual([])
    expect(gone.filter(isHere)).toEqual([])
    expect([gone.length > 10, deleted.size > gone.length]).toEqual([true, true])
    expect(newcomer.notes.query().get().length).toBeGreaterThan(200)
    expect(clients.map(client => client.status.get())).toMatchObject(
      clients.map(() => ({ pending: 0, quarantined: 0 })),
    )
    expect(relay.log.filter(({ level }) => level >= 50)).toEqual([])
  },
)

test('[L3, Q3] of twenty offline writes the one that a rule refuses is in the quarantine, and nineteen are in', async () => {
  const relay = await startRelay(`
    export const accept = {
      notes: ({ values }) => values.color === 'forbidden' ? 'this color is not for sale' : true,
    }
  `)
  const [alice, bob] = await openClients(relay, ['alice', 'bob'])
  for (let i = 0; i < 10; i++)
    alice.notes.insert({ title: `t${i}`, color: 'first', body: 'text' }, { id: `n${i}` })
  await untilSynced([alice, bob])

  alice.pause()
  const texts = alice.notes.text('n7', 'body')
  await texts.whenReady
  const handles = [
    ...[0, 1, 2].map(i => alice.notes.update(`n${i}`, { color: 'second' })),
    alice.notes.update('n7', { color: 'forbidden' }),
    // What touches the same document afterwards is not lost with it.
    alice.notes.update('n7', { title: 'after the refused one' }),
    alice.notes.update('n7', { views: { increment: 7 } }),
    ...[3, 4, 5].map(i => alice.notes.update(`n${i}`, { tags: { add: ['offline'] } })),
    alice.notes.delete('n9'),
    ...Array.from({ length: 9 }, (_, i) =>
      alice.notes.insert({ title: 'new', color: 'new' }, { id: `new${i}` }),
    ),
  ]
  texts.text.insert(0, 'more ')
  await until(() => alice.status.get().pending === 20, 'twenty writes wait')
  expect(alice.notes.get('n7')?.color).toBe('forbidden')
  alice.resume()
  await untilSynced([alice, bob])
  texts.close()

  const outcomes = await Promise.allSettled(handles.map(handle => handle.reached('relay')))
  expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(18)
  const [item, ...others] = alice.quarantine.get()
  expect(others).toEqual([])
  expect(item?.error).toEqual({
    code: 'refused-by-rule',
    details: { reason: 'this color is not for sale' },
  })
  expect(item?.writes).toMatchObject([{ collection: 'notes', id: 'n7', values: { color: 'forbidden' } }])
  expect(alice.status.get()).toMatchObject({ quarantined: 1, pending: 0 })

  const newcomer = await openNewcomer(relay.url)
  onTestFinished(() => newcomer.close())
  await untilSame([alice, bob, newcomer])
  const shown = await readAll(newcomer)
  expect(newcomer.notes.get('n7')).toMatchObject({ color: 'first', title: 'after the refused one', views: 7 })
  expect(await readBody(newcomer, 'n7')).toBe('more text')
  expect(newcomer.notes.get('n9')).toBe(undefined)
  expect([0, 1, 2].map(i => newcomer.notes.get(`n${i}`)?.color)).toEqual(['second', 'second', 'second'])
  expect([3, 4, 5].map(i => newcomer.notes.get(`n${i}`)?.tags)).toEqual([
    ['offline'],
    ['offline'],
    ['offline'],
  ])
  expect(Object.keys(shown).filter(id => id.startsWith('new')).length).toBe(9)
  expect(relay.log.filter(({ level }) => level >= 50)).toEqual([])
})

const nobody = { collection: '', writer: '' }

async function startRelay(rules?: string): Promise<RelayProcess> {
  const relay = await startRelayProcess(rules === undefined ? {} : { rules })
  onTestFinished(() => relay.close())
  return relay
}

async function openClients<const Users extends readonly string[]>(
  relay: RelayProcess,
  users: Users,
): Promise<{ readonly [K in keyof Users]: NodeClient }> {
  const clients: NodeClient[] = []
  onTestFinished(async () => {
    await Promise.all(clients.map(client => client.close()))
  })
  for (const user of users) clients.push(await openNodeClient({ url: relay.url, user }))
  // One client for each user, in their order.
  return clients as unknown as { readonly [K in keyof Users]: NodeClient }
}

async function createFolder(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'rejoin-restored-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** One more write of one of all kinds. Returns the document that it touched. */
async function writeMore(client: NodeClient, i: number, chance: Chance): Promise<string> {
  const fresh = `m${i}`
  const old = client.notes.get(`n${chance.below(1000)}`) ?? client.notes.get(`m${chance.below(i + 1)}`)
  const draw = chance.below(10)
  if (draw < 4 || old === undefined) {
    client.notes.insert(
      { title: fresh, color: 'new', body: draw === 0 ? `text of ${fresh}` : '' },
      { id: fresh },
    )
    return fresh
  }
  const { id } = old
  if (draw === 4) client.notes.update(id, { color: `new ${i}` })
  else if (draw === 5) client.notes.update(id, { title: `new ${i}` })
  else if (draw === 6) client.notes.update(id, { tags: { add: [`new ${i}`], remove: ['old'] } })
  else if (draw === 7) client.notes.update(id, { views: { increment: 1 + chance.below(9) } })
  else if (draw === 8) client.notes.delete(id)
  else {
    const handle = client.notes.text(id, 'body')
    await handle.whenReady
    handle.text.insert(0, `new ${i} `)
    handle.close()
  }
  return id
}
