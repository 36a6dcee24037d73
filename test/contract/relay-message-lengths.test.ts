// The relay writes the headers of its messages itself: of each length that has a form of its own, and of its neighbours.
import {
  documentKey,
  encodeValue,
  noTexts,
  nothingReplaced,
  partName,
  writerFromBytes,
  type Write,
} from '@rejoin/core'
import { createRelay } from '@rejoin/relay'
import { randomBytes } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { openBareSession } from '../bench/contenders/rejoin-session.ts'
import { until } from '../bench/measure/waiting.ts'

const part = partName('lww', 'value')

test('a change of any length comes whole', async () => {
  const relay = createRelay({ development: true })
  onTestFinished(() => relay.close())
  const { port } = await relay.listen({ port: 0 })
  const came: number[] = []
  const reader = await openBareSession(port, 'lengths', frame => {
    if (frame.type !== 'changes') return
    for (const { delta } of frame.rows) {
      const cell = delta.cells.get(part)
      came.push(cell?.strategy === 'lww' ? cell.value.length : 0)
    }
  })
  reader.send({ type: 'range', ranges: [] })
  const author = await openBareSession(port, 'lengths', () => {})
  const writer = writerFromBytes(randomBytes(8))
  const sent: number[] = []
  // Bytes by chance, since what deflates is shorter on its way; one at a time, so that each is a message.
  for (const length of [...range(60, 126), ...range(65_450, 65_536), 200_000]) {
    const value = encodeValue(new Uint8Array(randomBytes(length)))
    const mark = { ms: Date.now(), tick: sent.length, writer }
    const write: Write = {
      mark,
      key: documentKey('notes', `${length}`),
      delta: {
        cells: new Map([[part, { strategy: 'lww', last: mark, value }]]),
        deletion: null,
        revival: mark,
      },
      texts: noTexts,
      replaced: nothingReplaced,
      whole: true,
    }
    author.send({ type: 'submit', round: 0, transactions: [{ writes: [write], preconditions: [] }] })
    sent.push(value.length)
    await until(() => came.length === sent.length, `a change of ${length} bytes`, 5000)
  }
  expect(came).toEqual(sent)
  author.end()
  reader.end()
})

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}
