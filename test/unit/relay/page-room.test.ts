// A connection that takes little at a time, and commits that are more than that.
import {
  createDictionary,
  decodeFrame,
  documentKey,
  encodeValue,
  noTexts,
  nothingReplaced,
  partName,
  writerFromBytes,
  type ChangesFrame,
  type Frame,
  type Mark,
  type StoreId,
} from '@rejoin/core'
import { createKernel, createMemoryDisk, type Kernel } from '@rejoin/relay/kernel'
import { createChance, helloWith } from '@rejoin/testkit'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'

const rows = 20
/** A frame holds seven of them. */
const rowBytes = 40_000
const part = partName('lww', 'n')
const writer = writerFromBytes(new Uint8Array(8).fill(9))
const ms = 1_764_000_000_000

test('[F3, P2] of a commit that is more than there is room for, each row is sent once, and again if it changes', async () => {
  const kernel = await openKernel()
  const author = attach(kernel)
  await author.say(helloOf(1))
  await author.say({ type: 'submit', round: 0, transactions: ids().map((id, i) => write(id, i, null)) })
  const reader = attach(kernel)
  await reader.say(helloOf(2))
  await reader.say({ type: 'range', ranges: [] })
  const first = reader.take()
  expect(first.length).toBeGreaterThan(0)
  expect(first.length).toBeLessThan(rows / 2)
  expect(first).toEqual(ids().slice(0, first.length))
  // One that was sent already, and one that was not.
  const changed = [ids()[0] ?? '', ids()[rows - 1] ?? '']
  const transactions = changed.map((id, i) => write(id, rows + i, mark(id === 'n0' ? 0 : rows - 1)))
  await author.say({ type: 'submit', round: 0, transactions })
  expect(reader.take()).toEqual([])
  const rest: string[] = []
  for (let i = 0; i < rows && !reader.isLevel(); i++) {
    await reader.read()
    rest.push(...reader.take())
  }
  expect(reader.isLevel()).toBe(true)
  expect(rest).toEqual([...ids().slice(first.length, rows - 1), ...changed])
})

async function openKernel(): Promise<Kernel> {
  const chance = createChance(1)
  return createKernel({
    store: await createMemoryDisk(length => chance.bytes(length)).open(),
    runtime: {
      now: () => ms,
      monotonic: () => 0,
      randomBytes: length => chance.bytes(length),
      after: () => () => {},
    },
    token: async token => ({ user: token }),
    access: async () => 'write',
    accept: () => true,
    log: { error: () => {}, info: () => {}, debug: () => {} },
  })
}

/** What it is sent is buffered until it reads. */
function attach(kernel: Kernel) {
  const names = createDictionary()
  let heard: ChangesFrame[] = []
  let buffered = 0
  let level = false
  const session = kernel.attach({
    address: '',
    buffered: () => buffered,
    send(bytes) {
      buffered += bytes.length
      const decoded = decodeFrame(Uint8Array.from(bytes), names)
      if (!decoded.ok) throw new Error(decoded.error.code)
      if (decoded.value.type !== 'changes') return
      heard.push(decoded.value)
      level = decoded.value.cut !== null
    },
    close: () => {},
  })
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await turn()
  }
  return {
    isLevel: () => level,
    async say(frame: Frame) {
      session.receive(frame)
      await settle()
    },
    async read() {
      buffered = 0
      session.drained()
      await settle()
    },
    /** Ids of the rows that came since it was asked last. */
    take(): readonly string[] {
      const came = heard.flatMap(frame => frame.rows.map(({ key }) => key.slice('notes/'.length)))
      heard = []
      return came
    },
  }
}

function ids(): readonly string[] {
  return Array.from({ length: rows }, (_, i) => `n${i}`)
}

function helloOf(replica: number): Frame {
  return helloWith({ replica: writerFromBytes(new Uint8Array(8).fill(replica)) as string as StoreId })
}

function mark(tick: number): Mark {
  return { ms, tick, writer }
}

function write(id: string, tick: number, replaced: Mark | null) {
  const isNew = replaced === null
  const value = encodeValue(new Uint8Array(rowBytes).fill(tick))
  const cells = new Map([[part, { strategy: 'lww' as const, last: mark(tick), value }]])
  const delta = { cells, deletion: null, revival: isNew ? mark(tick) : null }
  const seen = isNew ? nothingReplaced : new Map([[part, replaced]])
  const key = documentKey('notes', id)
  return {
    writes: [{ mark: mark(tick), key, delta, texts: noTexts, replaced: seen, whole: isNew }],
    preconditions: [],
  }
}
