/** Links that a peer dials to a relay, by hand. */
import {
  documentKey,
  writerFromBytes,
  type ChangedRow,
  type ChangesFrame,
  type Frame,
  type GenerationId,
  type StoreId,
} from '@rejoin/core'
import { createCluster, type SimulatedRelay, helloWith } from '@rejoin/testkit'
import { onTestFinished } from 'vitest'
import { attach } from './bare-kernel.ts'

const idOf = (byte: number): string => writerFromBytes(new Uint8Array(8).fill(byte))
export const peer = idOf(1) as StoreId
export const peersGeneration = idOf(2) as GenerationId

export interface PeerLink {
  /** The peer says something, and what comes of it has come. */
  say(...frames: readonly Frame[]): Promise<void>
  /** What the relay has said. */
  readonly said: readonly Frame[]
}

/** A relay that nobody else speaks with. What it gives back dials it, and has said hello. */
export async function createDialledRelay(): Promise<() => Promise<PeerLink>> {
  const cluster = await createCluster({ seed: 3, relays: 1, devices: 1 })
  onTestFinished(cluster.close)
  const [relay] = cluster.relays as [SimulatedRelay]
  return async () => {
    const said: Frame[] = []
    const session = attach(relay.kernel, frame => void said.push(frame))
    async function say(...frames: readonly Frame[]): Promise<void> {
      for (const frame of frames) session.receive(frame)
      await cluster.clock.advance(100)
    }
    await say(helloWith({ token: 'peers', replica: peer, role: 'peer', empty: false }))
    return { say, said }
  }
}

export function peersRow(id: string, row: Pick<ChangedRow, 'delta'> & Partial<ChangedRow>): ChangedRow {
  return { key: documentKey('notes', id), parts: 0, texts: new Map(), ...row }
}

/** One row, at a cut. */
export function peersChange(place: number, row: ChangedRow): ChangesFrame {
  const generation = peersGeneration
  const cut = { generation, position: place, frontier: new Map(), generations: [], fingerprint: null }
  return { type: 'changes', rows: [row], place, head: place, cut, answer: false, writers: [] }
}
