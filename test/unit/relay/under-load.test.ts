// A relay to which something comes all the time: whoever lags, and whoever ends it, does not wait for a pause.
import {
  createDictionary,
  decodeFrame,
  documentKey,
  encodeValue,
  noTexts,
  nothingReplaced,
  partName,
  writerFromBytes,
  type Frame,
  type StoreId,
} from '@rejoin/core'
import { createKernel, createMemoryDisk, type Kernel } from '@rejoin/relay/kernel'
import { createChance, helloWith } from '@rejoin/testkit'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'

const rows = 3000
/** Far more than there are pages. */
const asksMax = 2000

test('[F3] who is behind is sent pages though there is always something to take in', async () => {
  const { kernel, disturb } = await openRelay()
  const newcomers = [attach(kernel), attach(kernel)]
  for (const { say } of newcomers) await say(helloOf(2))
  for (const { session } of newcomers) session.receive({ type: 'range', ranges: [] })
  const asked = disturb(() => newcomers.every(isLevel))
  for (let i = 0; i < 50; i++) await turn()
  expect(newcomers.map(isLevel)).toEqual([true, true])
  expect(asked()).toBeLessThan(asksMax)
})

test('a relay that is closed answers what had come by then, and does not wait for what comes meanwhile', async () => {
  const { kernel, disturb } = await openRelay()
  const late = attach(kernel)
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
  const chance = createChance(1)
  const kernel = createKernel({
    store: await createMemoryDisk(length => chance.bytes(length)).open(),
    runtime: {
      now: () => 1_764_000_000_000,
      monotonic: () => 0,
      randomBytes: length => chance.bytes(length),
      after: () => () => {},
    },
    token: async token => ({ user: token }),
    access: async () => 'write',
    accept: () => true,
    log: { error: () => {}, info: () => {}, debug: () => {} },
  })
  let asked = 0
  let isOver = (): boolean => true
  const author = attach(kernel, () => {
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

function attach(kernel: Kernel, onHeard: () => void = () => {}) {
  const names = createDictionary()
  const heard: Frame[] = []
  const session = kernel.attach({
    address: '',
    buffered: () => 0,
    send(bytes) {
      const decoded = decodeFrame(Uint8Array.from(bytes), names)
      if (!decoded.ok) throw new Error(decoded.error.code)
      heard.push(decoded.value)
      onHeard()
    },
    close: () => {},
  })
  const say = async (frame: Frame): Promise<void> => {
    session.receive(frame)
    for (let i = 0; i < 20; i++) await turn()
  }
  return { session, heard, say }
}

function helloOf(replica: number): Frame {
  return helloWith({ replica: writerFromBytes(new Uint8Array(8).fill(replica)) as string as StoreId })
}

function insertOf(ids: readonly string[]): Frame {
  const writer = writerFromBytes(new Uint8Array(8).fill(ids.length === 1 ? 8 : 9))
  const transactions = ids.map((id, tick) => {
    const mark = { ms: 1_764_000_000_000, tick, writer }
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
function isLevel({ heard }: ReturnType<typeof attach>): boolean {
  const changes = heard.filter(frame => frame.type === 'changes')
  const came = changes.reduce((sum, frame) => sum + frame.rows.length, 0)
  return came === rows && changes.at(-1)?.cut !== null
}
