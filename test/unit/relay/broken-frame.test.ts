// A frame that a relay cannot take in costs its sender the session, and nobody else what they bring.
import { documentKey, type Frame, type HeldRow, type StoreId } from '@rejoin/core'
import { helloWith } from '@rejoin/testkit'
import { expect, test } from 'vitest'
import { insertOf } from '../core/relay-scene.ts'
import { attach, openKernel, openStore, simulatedRuntime } from './bare-kernel.ts'

const broken = documentKey('notes', 'broken')
/** What judging a write to it comes to. */
const faulty = {
  get row(): HeldRow['row'] {
    throw new Error('a fault of the relay')
  },
} as HeldRow

test('[A1] who sends what cannot be taken in is refused for good, and the others come again and are heard', async () => {
  const { clock, runtime } = simulatedRuntime()
  const opened = await openStore()
  const kernel = await openKernel({
    runtime,
    store: {
      ...opened,
      rows: async (space, keys) => {
        const rows = new Map(await opened.rows(space, keys))
        return keys.includes(broken) ? rows.set(broken, faulty) : rows
      },
    },
  })
  const begin = async (who: string) => {
    const said: Frame[] = []
    const session = attach(kernel, frame => void said.push(frame))
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
