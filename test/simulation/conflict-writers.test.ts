// Who wrote the sides of a conflict is told on every device, whatever else happens to it (SPEC K3, T4).
import type { Cluster, OpenTab } from '@rejoin/testkit'
import { expect, test } from 'vitest'
import { begin, open, pass } from './small-cluster.ts'

const relay = 'ws://relay-0'
type Replica = OpenTab['replica']

interface Scene {
  readonly cluster: Cluster
  readonly alice: Replica
  readonly bob: Replica
}

/** Alice is cut off from what bob does to a document that both have. */
async function parted(name: 'notes' | 'plans'): Promise<Scene> {
  const cluster = await begin({ devices: 2 })
  const [alice, bob] = [await open(cluster, 0), await open(cluster, 1)]
  alice[name].insert({ title: 'first', color: 'amber' }, { id: 'a' })
  await pass(cluster, 10_000)
  cluster.network.cut('device-0', relay, 'told')
  return { cluster, alice, bob }
}

/** Both have written a title, and bob has just been told of the conflict, and not yet by whom its sides are. */
async function untold(): Promise<Scene> {
  const scene = await parted('notes')
  const { cluster, alice, bob } = scene
  alice.notes.update('a', { title: 'hers' })
  await pass(cluster, 1000)
  bob.notes.update('a', { title: 'his' })
  await pass(cluster, 1000)
  cluster.network.heal('device-0', relay)
  for (let i = 0; i < 5000 && whoIn(bob).length === 0; i++) await cluster.clock.advance(1)
  return scene
}

function whoIn({ conflicts }: Replica): readonly unknown[] {
  return conflicts.get().map(({ sides }) => sides.map(({ who }) => who))
}

test('[K3] a disputed deletion says who deleted and who edited', async () => {
  const { cluster, alice, bob } = await parted('plans')
  alice.plans.update('a', { color: 'teal' })
  await pass(cluster, 1000)
  bob.plans.delete('a')
  await pass(cluster, 1000)
  cluster.network.heal('device-0', relay)
  await pass(cluster, 10_000)
  expect([whoIn(alice), whoIn(bob)]).toEqual([[['device-1', 'device-0']], [['device-1', 'device-0']]])
})

test('[T4] who was cut off before it was told who wrote the sides of a conflict asks again', async () => {
  const { cluster, bob } = await untold()
  expect(whoIn(bob)).toEqual([[null, null]])
  cluster.network.cut('device-1', relay, 'told')
  await pass(cluster, 1000)
  cluster.network.heal('device-1', relay)
  await pass(cluster, 10_000)
  expect(whoIn(bob)).toEqual([['device-0', 'device-1']])
})

test('[T4] so does who comes up again after that', async () => {
  const { cluster } = await untold()
  cluster.devices[1]?.crash()
  const again = await open(cluster, 1)
  await pass(cluster, 10_000)
  expect(whoIn(again)).toEqual([['device-0', 'device-1']])
})
