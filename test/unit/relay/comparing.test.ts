// A relay compares fingerprints with its peers (SPEC P5).
import {
  emptyFingerprint,
  type Fingerprint,
  type GenerationId,
  type Positions,
  type StoreId,
  writerFromBytes,
} from '@rejoin/core'
import { createCluster, type SimulatedRelay, helloWith } from '@rejoin/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { welcomeFrom } from '../core/welcomes.ts'
import { attach } from './bare-kernel.ts'

const space = 'space'
const idOf = (byte: number): string => writerFromBytes(new Uint8Array(8).fill(byte))
const [peer, generation] = [idOf(1) as StoreId, idOf(2) as GenerationId]
const elsewhere = { ...emptyFingerprint, count: 7 }

/** A relay with a row, and a peer of it that says what it is told to say. */
async function withPeer() {
  const cluster = await createCluster({ seed: 3, relays: 1, devices: 1 })
  onTestFinished(cluster.close)
  const [device] = cluster.devices
  const open = device === undefined ? null : await cluster.openTab(device)
  open?.replica.notes.insert({ title: 'a', color: 'amber' }, { id: 'a' })
  await cluster.clock.advance(3000)
  const [relay] = cluster.relays as [SimulatedRelay]
  let own: GenerationId = generation
  const session = attach(relay.kernel, frame => {
    if (frame.type === 'welcome') own = frame.cursor.generation
  })
  const nothing: Positions = new Map()
  session.receive(helloWith({ space, token: 'peers', replica: peer, role: 'peer', empty: false }))
  await cluster.clock.advance(100)
  session.receive(
    welcomeFrom(peer, generation, {
      time: 0,
      begin: 'resume',
      frontier: nothing,
      covers: false,
      user: 'peers',
    }),
  )
  await cluster.clock.advance(100)
  /** Says that it holds so much of the relay's feed, and counts other rows, or none. */
  function tell(held: number, fingerprint: Fingerprint | null): void {
    const cut = { generation, position: 1, frontier: new Map([[own, held]]), generations: [], fingerprint }
    session.receive({ type: 'changes', rows: [], place: 1, head: 1, cut, answer: false, writers: [] })
  }
  return { clock: cluster.clock, relay, tell }
}

test('[P5] of a peer that caught up within a turn the cuts before prove nothing, and those after do', async () => {
  const { clock, relay, tell } = await withPeer()
  for (let i = 0; i < 3; i++) tell(0, elsewhere)
  tell(1000, null)
  await clock.advance(100)
  expect(relay.errors).toEqual([])
  for (let i = 0; i < 2; i++) {
    tell(1000, elsewhere)
    await clock.advance(100)
  }
  expect(relay.errors).toHaveLength(1)
})
