// A frame that a relay cannot take in costs its sender the session, and nobody else what they bring.
import {
  createDictionary,
  decodeFrame,
  documentKey,
  type Frame,
  type HeldRow,
  type StoreId,
} from '@rejoin/core'
import { createKernel, createMemoryDisk } from '@rejoin/relay/kernel'
import { createChance, createScope, createSimulatedClock, helloWith } from '@rejoin/testkit'
import { expect, test } from 'vitest'
import { insertOf } from '../core/relay-scene.ts'

const broken = documentKey('notes', 'broken')
/** What judging a write to it comes to. */
const faulty = {
  get row(): HeldRow['row'] {
    throw new Error('a fault of the relay')
  },
} as HeldRow

test('[A1] who sends what cannot be taken in is refused for good, and the others come again and are heard', async () => {
  const clock = createSimulatedClock()
  const scope = createScope(clock)
  const chance = createChance(1)
  const opened = await createMemoryDisk(length => chance.bytes(length)).open()
  const kernel = createKernel({
    store: {
      ...opened,
      rows: async (space, keys) => {
        const rows = new Map(await opened.rows(space, keys))
        return keys.includes(broken) ? rows.set(broken, faulty) : rows
      },
    },
    runtime: {
      now: () => clock.time,
      monotonic: () => clock.time,
      randomBytes: length => chance.bytes(length),
      after: (delayMs, run) => scope.after(delayMs, run),
    },
    token: async user => ({ user }),
    access: async () => 'write',
    accept: () => true,
    log: { error: () => {}, info: () => {}, debug: () => {} },
  })
  const begin = async (who: string) => {
    const said: Frame[] = []
    const names = createDictionary()
    const session = kernel.attach({
      address: '',
      buffered: () => 0,
      send(bytes) {
        const decoded = decodeFrame(bytes, names)
        if (decoded.ok) said.push(decoded.value)
      },
      close: () => {},
    })
    session.receive(helloWith({ token: who, replica: who as StoreId }))
    await clock.advance(1000)
    const submit = (id: string, ms: number): void =>
      session.receive({ type: 'submit', round: 0, transactions: [insertOf(id, ms)] })
    return { said, submit }
  }
  const [alice, mallory] = [await begin('alice'), await begin('mallory')]
  alice.submit('a', 1)
  mallory.submit('broken', 2)
  await clock.advance(1000)
  expect(mallory.said.at(-1)).toMatchObject({ type: 'refuse', error: { code: 'malformed-frame' } })
  expect(alice.said.at(-1)).toMatchObject({ type: 'refuse', error: { code: 'overloaded' } })
  const again = await begin('alice')
  again.submit('a', 1)
  await clock.advance(1000)
  expect(again.said.at(-1)).toMatchObject({ type: 'verdict', count: 1, exceptions: [] })
})
