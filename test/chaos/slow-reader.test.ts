// Who reads slowly, and asks for more than their connection takes: everything comes, at their pace.
import { documentKey, encodeFrame, type ChangesFrame, type Write } from '@rejoin/core'
import { createRelay } from '@rejoin/relay'
import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { openRawClient, type RawClient } from './harness/raw-client.ts'
import { createRawWriter } from './harness/raw-writer.ts'
import { until } from './harness/until.ts'

// Twice what a system keeps for a connection, beside what the relay does.
const rows = 80
const rowBytes = 200_000

test('[F1, F3] what a slow reader asked for comes as it reads, and no row comes twice', async () => {
  const { url, author, writer } = await openRelay()
  const keys = Array.from({ length: rows }, (_, i) => documentKey('notes', `n${i}`))
  for (let i = 0; i < rows; i++) {
    expect(await author.submit([[writer.insert(`n${i}`, new Uint8Array(rowBytes).fill(5))]])).toEqual([null])
  }
  const reader = await openRawClient(url)
  await reader.greet({ credit: 1 })
  reader.pause()
  reader.send(encodeFrame({ type: 'want', keys: [...keys, ...keys], texts: [], writers: [] }))
  await setTimeout(300)
  reader.resume()
  await until(() => reader.end !== null || answered(reader).length >= rows, 'all of it came')
  expect(reader.end).toBe(null)
  expect(answered(reader)).toEqual(keys)
  await Promise.all([author.close(), reader.close()])
})

test('[F1, F3] what a new replica is sent of large documents comes as it reads, in one commit as in many', async () => {
  const { url, author, writer } = await openRelay()
  const write = (i: number): readonly Write[] => [writer.insert(`n${i}`, randomBytes(rowBytes))]
  for (let i = 0; i < rows / 2; i++) expect(await author.submit([write(i)])).toEqual([null])
  // They come in one tick, and are one commit.
  for (let i = rows / 2; i < rows; i++)
    author.send(
      encodeFrame({ type: 'submit', round: 0, transactions: [{ writes: write(i), preconditions: [] }] }),
    )
  await until(
    () => author.frames.some(frame => frame.type === 'verdict' && frame.count === rows),
    'all of it is there',
  )
  const reader = await openRawClient(url)
  await reader.greet({ credit: 0 })
  reader.pause()
  await setTimeout(300)
  reader.resume()
  await until(() => reader.end !== null || isLevel(reader), 'all of it came')
  expect(reader.end).toBe(null)
  const came = pages(reader).flatMap(frame => frame.rows.map(({ key }) => key))
  expect(came.length).toBe(rows)
  expect(new Set(came).size).toBe(rows)
  await Promise.all([author.close(), reader.close()])
})

function pages({ frames }: RawClient): readonly ChangesFrame[] {
  return frames.filter(frame => frame.type === 'changes').filter(({ answer }) => !answer)
}

function isLevel(client: RawClient): boolean {
  return pages(client).some(({ cut }) => cut !== null)
}

function answered({ frames }: RawClient): readonly string[] {
  const answers = frames.filter((frame): frame is ChangesFrame => frame.type === 'changes' && frame.answer)
  return answers.flatMap(frame => frame.rows.map(({ key }) => key))
}

/** A relay that buffers a mebibyte for each socket, and who fills it. */
async function openRelay() {
  const relay = createRelay({ development: true, limits: { bufferedBytesMax: 1024 * 1024 } })
  onTestFinished(() => relay.close())
  const { url } = await relay.listen({ port: 0 })
  const author = await openRawClient(url)
  await author.greet({ credit: 1 })
  const writer = createRawWriter('notes')
  return { url, author, writer }
}
