// A relay takes in a day of somebody's writes, and the others are not kept waiting until all of it is judged.
import {
  createDictionary,
  decodeFrame,
  documentKey,
  encodeValue,
  nothingReplaced,
  noTexts,
  partName,
  writerFromBytes,
  type Frame,
  type StoreId,
  type Write,
} from '@rejoin/core'
import { createKernel, createMemoryDisk } from '@rejoin/relay/kernel'
import { createChance, helloWith } from '@rejoin/testkit'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'

const now = 1_764_000_000_000
const writer = writerFromBytes(new Uint8Array(8).fill(7))

/** Submits so many frames at once, each of which takes `frameMs`. What happened, in order. */
async function submitAtOnce(
  frames: number,
  frameMs: number,
  transactions = 1,
  reads: number[] = [],
): Promise<readonly string[]> {
  const chance = createChance(3)
  let ms = 0
  const opened = await createMemoryDisk(length => chance.bytes(length)).open()
  const kernel = createKernel({
    store: {
      ...opened,
      rows(space, keys) {
        reads.push(keys.length)
        return opened.rows(space, keys)
      },
    },
    runtime: {
      now: () => now,
      monotonic: () => (ms += frameMs),
      randomBytes: length => chance.bytes(length),
      after(_, run) {
        const timer = setImmediate(run)
        return () => clearImmediate(timer)
      },
    },
    token: async token => ({ user: token }),
    access: async () => 'write',
    accept: () => true,
    log: { error: () => {}, info: () => {}, debug: () => {} },
  })
  const happened: string[] = []
  const names = createDictionary()
  const session = kernel.attach({
    send(bytes) {
      const decoded = decodeFrame(Uint8Array.from(bytes), names)
      if (decoded.ok && decoded.value.type === 'verdict') happened.push(`verdict ${decoded.value.count}`)
    },
    buffered: () => 0,
    close: () => {},
    address: '',
  })
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 50; i++) await turn()
  }
  session.receive(helloWith({ replica: writerFromBytes(chance.bytes(8)) as string as StoreId }))
  await settle()
  session.receive({ type: 'range', ranges: [] })
  await settle()
  for (let tick = 0; tick < frames; tick++) session.receive(submitOf(tick, transactions))
  setImmediate(() => happened.push('somebody else'))
  await settle()
  return happened
}

function submitOf(first: number, count: number): Frame {
  const transactions = Array.from({ length: count }, (_, i) => ({
    writes: [writeOf(first * count + i)],
    preconditions: [],
  }))
  return { type: 'submit', round: 0, transactions }
}

function writeOf(tick: number): Write {
  const mark = { ms: now, tick, writer }
  const cell = { strategy: 'lww', last: mark, value: encodeValue(tick) } as const
  const delta = { cells: new Map([[partName('lww', 'n'), cell]]), deletion: null, revival: mark }
  const key = documentKey('notes', `n${tick}`)
  return { mark, key, delta, texts: noTexts, replaced: nothingReplaced, whole: true }
}

test('[A1] a turn of many frames lets others have theirs, and is one commit all the same', async () => {
  expect(await submitAtOnce(3, 11)).toEqual(['somebody else', 'verdict 3'])
})

test('[A1] so does a turn of one frame with many transactions', async () => {
  expect(await submitAtOnce(1, 11, 40)).toEqual(['somebody else', 'verdict 40'])
})

test('[A1] what many transactions touch is looked up in portions', async () => {
  const reads: number[] = []
  expect(await submitAtOnce(1, 0.001, 1500, reads)).toContain('verdict 1500')
  expect(reads).toEqual([1024, 476])
})

test('[A1] a turn of little is committed at once', async () => {
  expect(await submitAtOnce(3, 0.1)).toEqual(['verdict 3', 'somebody else'])
})
