// A relay to which something comes all the time: whoever lags, and whoever ends it, does not wait for a pause.
import {
  documentKey,
  encodeValue,
  noTexts,
  nothingReplaced,
  partName,
  writerFromBytes,
  type Frame,
} from '@rejoin/core'
import type { Kernel } from '@rejoin/relay/kernel'
import { expect, test } from 'vitest'
import { attach, bareNow, helloOf, openKernel, settle } from './bare-kernel.ts'

const rows = 3000
/** Far more than there are pages. */
const asksMax = 2000

test('[F3] who is behind is sent pages though there is always something to take in', async () => {
  const { kernel, disturb } = await openRelay()
  const newcomers = [join(kernel), join(kernel)]
  for (const { say } of newcomers) await say(helloOf(2))
  for (const { session } of newcomers) session.receive({ type: 'range', ranges: [] })
  const asked = disturb(() => newcomers.every(isLevel))
  await settle()
  expect(newcomers.map(isLevel)).toEqual([true, true])
  expect(asked()).toBeLessThan(asksMax)
})

test('a relay that is closed answers what had come by then, and does not wait for what comes meanwhile', async () => {
  const { kernel, disturb } = await openRelay()
  const late = join(kernel)
  await late.say(helloOf(2))
  let isDrained = false
  const asked = disturb(() => isDrained)
  late.session.receive(insertOf(['late']))
  await kernel.drain()
  isDrained = true
  expect(late.heard.map(({ type }) => type)).toContain('verdict')
  expect(asked()).toBeLessThan(asksMax)
})

/** A relay with many rows, and a client that asks it something again as soon as it has an answer. */
async function openRelay() {
  const kernel = await openKernel()
  let asked = 0
  let isOver = (): boolean => true
  const author = join(kernel, () => {
    if (asked < asksMax && !isOver()) ask()
  })
  function ask(): void {
    asked += 1
    author.session.receive({ type: 'heartbeat', position: 0, time: 0 })
  }
  await author.say(helloOf(1))
  await author.say({ type: 'range', ranges: [] })
  await author.say(insertOf(Array.from({ length: rows }, (_, i) => `n${i}`)))
  return {
    kernel,
    /** Gives back how often it has asked by now. */
    disturb: (until: () => boolean) => {
      isOver = until
      ask()
      return () => asked
    },
  }
}

function join(kernel: Kernel, onHeard: () => void = () => {}) {
  const heard: Frame[] = []
  const session = attach(kernel, frame => {
    heard.push(frame)
    onHeard()
  })
  const say = async (frame: Frame): Promise<void> => {
    session.receive(frame)
    await settle(20)
  }
  return { session, heard, say }
}

function insertOf(ids: readonly string[]): Frame {
  const writer = writerFromBytes(new Uint8Array(8).fill(ids.length === 1 ? 8 : 9))
  const transactions = ids.map((id, tick) => {
    const mark = { ms: bareNow, tick, writer }
    const cells = new Map([
      [partName('lww', 'n'), { strategy: 'lww' as const, last: mark, value: encodeValue(tick) }],
    ])
    const delta = { cells, deletion: null, revival: mark }
    const key = documentKey('notes', id)
    const write = { mark, key, delta, texts: noTexts, replaced: nothingReplaced, whole: true }
    return { writes: [write], preconditions: [] }
  })
  return { type: 'submit', round: 0, transactions }
}

/** Whether it has all rows, up to a cut. */
function isLevel({ heard }: ReturnType<typeof join>): boolean {
  const changes = heard.filter(frame => frame.type === 'changes')
  const came = changes.reduce((sum, frame) => sum + frame.rows.length, 0)
  return came === rows && changes.at(-1)?.cut !== null
}
