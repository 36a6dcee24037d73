// What a peer's feed brings is checked, and what is refused of it is not passed over (SPEC T3, P1).
import {
  createDictionary,
  decodeFrame,
  documentKey,
  writerFromBytes,
  type ChangedRow,
  type ChangesFrame,
  type Frame,
  type GenerationId,
  type StoreId,
} from '@rejoin/core'
import { createCluster, type SimulatedRelay } from '@rejoin/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { body, deltaOf, markOf } from '../core/edits.ts'
import { welcomeFrom } from '../core/welcomes.ts'
import { helloWith } from '../core/hellos.ts'

const idOf = (byte: number): string => writerFromBytes(new Uint8Array(8).fill(byte))
const [peer, generation] = [idOf(1) as StoreId, idOf(2) as GenerationId]
const mark = markOf('bob', 1000)

const hello = helloWith({ token: 'peers', replica: peer, role: 'peer', empty: false })

function rowOf(id: string, row: Pick<ChangedRow, 'delta' | 'texts'>): ChangedRow {
  return { key: documentKey('notes', id), parts: 0, ...row }
}

function changes(place: number, row: ChangedRow): ChangesFrame {
  const cut = { generation, position: place, frontier: new Map(), generations: [], fingerprint: null }
  return { type: 'changes', rows: [row], place, head: place, cut, answer: false, writers: [] }
}

test('[P1, T3] what follows in the turn in which a frame of a feed is refused does not move the pull over it', async () => {
  const cluster = await createCluster({ seed: 3, relays: 1, devices: 1 })
  onTestFinished(cluster.close)
  const [relay] = cluster.relays as [SimulatedRelay]
  /** A link of the peer, and what the relay says over it. */
  async function begin() {
    const names = createDictionary()
    const said: Frame[] = []
    const session = relay.kernel.attach({
      address: 'peer',
      buffered: () => 0,
      send(bytes) {
        const decoded = decodeFrame(bytes, names)
        if (decoded.ok) said.push(decoded.value)
      },
      close: () => {},
    })
    session.receive(hello)
    await cluster.clock.advance(100)
    return { session, said }
  }
  const { session, said } = await begin()
  session.receive(welcomeFrom(peer, generation, { begin: 'resume', user: 'peers' }))
  await cluster.clock.advance(100)
  const broken = { kind: 'tail', updates: [Uint8Array.of(9, 9, 9)] } as const
  const typed = deltaOf({ kind: 'type' }, undefined, mark)
  const insert = deltaOf({ kind: 'insert', value: 'red', element: 'x' }, undefined, mark)
  session.receive(changes(1, rowOf('a', { delta: typed, texts: new Map([[body, broken]]) })))
  session.receive(changes(2, rowOf('b', { delta: insert, texts: new Map() })))
  await cluster.clock.advance(100)
  expect(said.at(-1)).toMatchObject({ type: 'refuse', error: { code: 'text-invalid' } })
  const again = (await begin()).said.find(frame => frame.type === 'hello')
  expect(again?.cursors.filter(cursor => cursor.generation === generation && cursor.cut > 0)).toEqual([])
})
