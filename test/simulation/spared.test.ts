// Who starts empty is spared what is deleted (SPEC P4), and then meets a relay that has not heard of the deletion.
import type { Repair } from '@rejoin/client'
import { createCluster, type Cluster, type OpenTab } from '@rejoin/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { open, pass } from './small-cluster.ts'

const [informed, uninformed] = ['ws://relay-0', 'ws://relay-1']

interface Scene {
  readonly cluster: Cluster
  /** Speaks with the one that is not informed alone. */
  readonly dave: OpenTab['replica']
  readonly alarms: readonly string[]
  title(): string | undefined
  /** What carol is shown, who was spared the document that bob deleted. */
  shown(): readonly string[]
  /** Carol goes to one of the relays. */
  goTo(relay: string): Promise<void>
  /** Carol changes the document that is not deleted, so that there is something to give. */
  write(): Promise<void>
}

test('[P5] a relay that has not heard of a deletion that somebody was spared is joined without an alarm', async () => {
  const { cluster, alarms, shown, goTo, write } = await begin('told')
  expect(shown()).toEqual(['kept'])
  await write()
  await goTo(uninformed)
  expect(shown()).toEqual(['deleted', 'kept'])
  await goTo(uninformed)
  cluster.network.healAll()
  await pass(cluster, 30_000)
  expect(shown()).toEqual(['kept'])
  expect(alarms).toEqual([])
})

test('[P5] where the relay that knew of a deletion is gone for good, who was spared it has what the others have', async () => {
  const { cluster, alarms, shown, goTo, write } = await begin('told')
  await write()
  const [lost] = cluster.relays
  if (lost !== undefined) cluster.lose(lost)
  await goTo(uninformed)
  expect(shown()).toEqual(['deleted', 'kept'])
  expect(alarms).toEqual([])
})

test.each([370, 400, 430, 460, 500])(
  '[P5] who gives a relay what that one had deleted learns so without an alarm, though its peer tells it the same %i ms later',
  async ms => {
    const { cluster, dave, alarms, title, shown, goTo, write } = await begin('told')
    await write()
    // What is edited where nobody has heard of the deletion stands, and comes without that.
    dave.notes.update('deleted', { title: 'edited' })
    await goTo(uninformed)
    expect(title()).toBe('edited')
    cluster.network.cut('device-1', uninformed, 'told')
    cluster.network.heal('device-1', informed)
    await pass(cluster, ms)
    cluster.network.heal(informed, uninformed)
    await pass(cluster, 30_000)
    await goTo(informed)
    expect(shown()).toEqual(['deleted', 'kept'])
    expect(alarms).toEqual([])
  },
)

test('[S4] who took from one relay what another one had deleted is told so by that one again', async () => {
  // It hears all that the other one has, and tells it nothing.
  const { alarms, shown, goTo, write } = await begin('up')
  await write()
  await goTo(uninformed)
  expect(shown()).toEqual(['deleted', 'kept'])
  await goTo(informed)
  expect(shown()).toEqual(['kept'])
  expect(alarms).toEqual([])
})

test('[S4] who speaks with several relays is told of a deletion again by one whose session goes on', async () => {
  const { cluster, alarms, shown, write } = await begin('up', 2)
  await write()
  cluster.network.heal('device-1', uninformed)
  for (let i = 0; i < 5; i++) {
    await write()
    await pass(cluster, 5000)
  }
  expect(shown()).toEqual(['kept'])
  expect(alarms).toEqual([])
})

test('[S2] who holds nothing and takes what was deleted from a relay that was put back is told by another one that it was', async () => {
  const cluster = await createCluster({ seed: 1, relays: 2, devices: 2 })
  onTestFinished(cluster.close)
  const { network } = cluster
  const [relay] = cluster.relays
  if (relay === undefined) throw new Error('there is no relay')
  const alarms: string[] = []
  const bob = await openWatched(cluster, 0, alarms)
  bob.notes.insert({ title: 'deleted', color: 'amber' }, { id: 'deleted' })
  await pass(cluster, 20_000)
  const image = relay.image()
  bob.notes.delete('deleted')
  await pass(cluster, 20_000)
  network.cut('device-1', uninformed, 'told')
  const carol = await openWatched(cluster, 1, alarms)
  const shown = (): readonly string[] =>
    carol.notes
      .query({})
      .get()
      .map(({ id }) => id)
  await pass(cluster, 20_000)
  expect(shown()).toEqual([])
  network.cut(informed, uninformed, 'told')
  network.cut('device-0', informed, 'told')
  relay.crash()
  relay.restore(image)
  await relay.start()
  await pass(cluster, 20_000)
  expect(shown()).toEqual(['deleted'])
  network.cut('device-1', informed, 'told')
  network.heal(informed, uninformed)
  await pass(cluster, 20_000)
  network.heal('device-1', uninformed)
  const repairs: Repair[] = []
  carol.on('repaired', repair => void repairs.push(repair))
  await pass(cluster, 30_000)
  expect(shown()).toEqual([])
  expect([repairs, alarms]).toEqual([[], []])
})

/** `cut`: how the link of the two relays is, since before the deletion. */
async function begin(cut: 'told' | 'up', write?: number): Promise<Scene> {
  const cluster = await createCluster({ seed: 1, relays: 2, devices: 3, write })
  onTestFinished(cluster.close)
  const { network } = cluster
  const alarms: string[] = []
  network.cut('device-0', uninformed, 'told')
  network.cut('device-2', informed, 'told')
  const bob = await openWatched(cluster, 0, alarms)
  const dave = await openWatched(cluster, 2, alarms)
  for (const id of ['deleted', 'kept']) bob.notes.insert({ title: id, color: 'amber' }, { id })
  await pass(cluster, 20_000)
  network.cut(informed, uninformed, cut)
  bob.notes.delete('deleted')
  await pass(cluster, 5000)
  network.cut('device-1', uninformed, 'told')
  const carol = await openWatched(cluster, 1, alarms)
  await pass(cluster, 5000)
  return {
    cluster,
    dave,
    alarms,
    title: () => carol.notes.get('deleted')?.title,
    shown: () =>
      carol.notes
        .query({ orderBy: 'title' })
        .get()
        .map(({ id }) => id),
    async goTo(relay) {
      for (const other of [informed, uninformed]) network.cut('device-1', other, 'told')
      network.heal('device-1', relay)
      await pass(cluster, 30_000)
    },
    async write() {
      carol.notes.update('kept', { color: 'teal' })
      await pass(cluster, 5000)
    },
  }
}

async function openWatched(cluster: Cluster, at: number, alarms: string[]): Promise<OpenTab['replica']> {
  const replica = await open(cluster, at)
  replica.on('alarm', () => void alarms.push(`device-${at}`))
  return replica
}
