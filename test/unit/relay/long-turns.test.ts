// A relay takes in a day of somebody's writes, and the others are not kept waiting until all of it is judged.
import {
  documentKey,
  encodeValue,
  nothingReplaced,
  noTexts,
  partName,
  writerFromBytes,
  type Frame,
  type Write,
} from '@rejoin/core'
import { expect, test } from 'vitest'
import { attach, bareNow, helloOf, loopingRuntime, openKernel, openStore, settle } from './bare-kernel.ts'

const writer = writerFromBytes(new Uint8Array(8).fill(7))

/** Submits so many frames at once, each of which takes `frameMs`. What happened, in order. */
async function submitAtOnce(
  frames: number,
  frameMs: number,
  transactions = 1,
  reads: number[] = [],
): Promise<readonly string[]> {
  let ms = 0
  const store = await openStore()
  const kernel = await openKernel({
    store: {
      ...store,
      rows(space, keys) {
        reads.push(keys.length)
        return store.rows(space, keys)
      },
    },
    runtime: loopingRuntime(() => (ms += frameMs)),
  })
  const happened: string[] = []
  const session = attach(kernel, frame => {
    if (frame.type === 'verdict') happened.push(`verdict ${frame.count}`)
  })
  session.receive(helloOf(1))
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
  const mark = { ms: bareNow, tick, writer }
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

/** Commits while two frames are taken in, and what is submitted meanwhile; by whom and where as told. */
async function commitsWith(submitMeanwhile: 'who brought the rest' | 'somebody else'): Promise<number> {
  let ms = 0
  let commits = 0
  const store = await openStore()
  const kernel = await openKernel({
    store: {
      ...store,
      commit(draft) {
        commits += 1
        return store.commit(draft)
      },
    },
    runtime: loopingRuntime(() => (ms += 11)),
  })
  const answered: string[] = []
  const begin = async (number: number): Promise<ReturnType<typeof attach>> => {
    const session = attach(kernel, frame => {
      if (frame.type === 'verdict') answered.push(`${number}: ${frame.count}`)
    })
    session.receive(helloOf(number))
    await settle()
    return session
  }
  const [first, second] = [await begin(1), await begin(2)]
  const before = commits
  for (let tick = 0; tick < 2; tick++) first.receive(submitOf(tick, 1))
  const who = submitMeanwhile === 'somebody else' ? second : first
  setImmediate(() => who.receive(submitOf(2, 1)))
  await settle()
  expect(answered.at(-1)).toBe(who === first ? '1: 3' : '2: 1')
  return commits - before
}

test('[A1] a turn takes in what who brought it sends meanwhile, and stores all of it once', async () => {
  expect(await commitsWith('who brought the rest')).toBe(1)
})

test('[A1] what somebody else sends meanwhile has a turn of its own: of a text each would be told what it wrote', async () => {
  expect(await commitsWith('somebody else')).toBe(2)
})
