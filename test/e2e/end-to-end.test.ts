/** Two clients of this process and a relay of its own, which is killed in the midst of their writing. */
import { openReplica, type Replica } from '@rejoin/client'
import { simulatedCollections, type SimulatedCollections } from '@rejoin/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { startRelayProcess, type RelayProcess } from '../chaos/harness/relay-process.ts'

const soon = { timeout: 20_000, interval: 20 }

async function open(name: string, relay: RelayProcess): Promise<Replica<SimulatedCollections>> {
  const replica = await openReplica({
    space: 'team',
    name: `${name} ${relay.port}`,
    collections: simulatedCollections,
    relays: [relay.url],
    token: () => name,
  })
  onTestFinished(() => replica.close())
  return replica
}

test('whatever a relay had acknowledged when it was killed is at everybody, and so is what it had not', async () => {
  const relay = await startRelayProcess()
  onTestFinished(() => relay.close())
  const alice = await open('alice', relay)
  const bob = await open('bob', relay)
  const acknowledged = new Set<string>()
  let written = 0
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 100; i++) {
      const author = i % 2 === 0 ? alice : bob
      const note = author.notes.insert({ title: `note ${++written}`, color: 'amber', log: [] })
      note.reached('relay').then(
        () => acknowledged.add(note.id),
        () => {},
      )
      if (i % 10 === 0) await note.reached('local')
    }
    await expect.poll(() => acknowledged.size, soon).toBeGreaterThan(round * 80)
    await relay.kill()
    const before = new Set(acknowledged)
    await relay.start()
    alice.resume()
    bob.resume()
    const carol = await open(`carol ${round}`, relay)
    await carol.settled()
    for (const id of before) expect(carol.notes.get(id), id).toBeDefined()
    await carol.close()
  }
  await Promise.all([alice.settled(), bob.settled()])
  await expect.poll(() => alice.notes.query().get().length, soon).toBe(written)
  await expect.poll(() => bob.notes.query().get().length, soon).toBe(written)
  expect(acknowledged.size).toBe(written)
  expect(alice.quarantine.get()).toEqual([])
})
