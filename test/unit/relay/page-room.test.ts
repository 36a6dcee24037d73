// A connection that takes little at a time, and commits that are more than that.
import {
  documentKey,
  encodeValue,
  noTexts,
  nothingReplaced,
  partName,
  writerFromBytes,
  type ChangesFrame,
  type Frame,
  type Mark,
} from '@rejoin/core'
import type { Kernel } from '@rejoin/relay/kernel'
import { expect, test } from 'vitest'
import { attach, bareNow, helloOf, openKernel, settle } from './bare-kernel.ts'

const rows = 20
/** A frame holds seven of them. */
const rowBytes = 40_000
const part = partName('lww', 'n')
const writer = writerFromBytes(new Uint8Array(8).fill(9))
const ms = bareNow

test('[F3, P2] of a commit that is more than there is room for, each row is sent once, and again if it changes', async () => {
  const kernel = await openKernel()
  const author = join(kernel)
  await author.say(helloOf(1))
  await author.say({ type: 'submit', round: 0, transactions: ids().map((id, i) => write(id, i, null)) })
  const reader = join(kernel)
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

/** What it is sent is buffered until it reads. */
function join(kernel: Kernel) {
  let heard: ChangesFrame[] = []
  let buffered = 0
  let level = false
  const session = attach(
    kernel,
    (frame, bytes) => {
      buffered += bytes
      if (frame.type !== 'changes') return
      heard.push(frame)
      level = frame.cut !== null
    },
    { buffered: () => buffered },
  )
  return {
    isLevel: () => level,
    async say(frame: Frame) {
      session.receive(frame)
      await settle(20)
    },
    async read() {
      buffered = 0
      session.drained()
      await settle(20)
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
