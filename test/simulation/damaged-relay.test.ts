// A relay whose disk lost a row, and says that it has it: at the next cuts with a peer the difference shows.
import { replaceInFingerprint } from '@rejoin/core'
import { createCluster } from '@rejoin/testkit'
import { expect, test } from 'vitest'

test('[P5] a relay that lacks what it says to have raises an alarm once, and has it from its peer again', async () => {
  const cluster = await createCluster({ seed: 1, relays: 2, devices: 1 })
  const [, damaged] = cluster.relays
  const [device] = cluster.devices
  if (device === undefined || damaged === undefined)
    throw new Error('the cluster has two relays and a device')
  cluster.linkPeers()
  const open = await cluster.openTab(device)
  for (const color of ['amber', 'teal', 'blue']) open?.replica.notes.insert({ title: 'one of three', color })
  await cluster.clock.advance(30_000)
  device.crash()

  damaged.crash()
  const image = damaged.image()
  const state = image.spaces.get('space')?.state
  const [key, held] = [...(state?.rows ?? [])][0] ?? []
  if (state === undefined || key === undefined) throw new Error('the relay holds rows')
  state.rows.delete(key)
  const fingerprint = replaceInFingerprint(state.record.fingerprint, held?.row, undefined)
  state.record = { ...state.record, fingerprint }
  damaged.restore(image)
  await damaged.start()
  for (let round = 0; round < 12; round++) {
    cluster.linkPeers()
    await cluster.clock.advance(10_000)
  }
  expect((await damaged.store.rows('space', [key])).get(key)?.row).toEqual(held?.row)
  for (const { errors } of cluster.relays)
    expect(errors).toEqual([expect.stringContaining('fingerprints differ')])
  cluster.close()
})
