// Positions in one feed are said from each other: what begins a session takes as many bytes in a long feed as in a short one.
import { decodeFrame, encodeFrame, writerFromBytes } from '@rejoin/core'
import type { Frame, HelloFrame, StoreId, WelcomeFrame } from '@rejoin/core'
import { helloWith } from '@rejoin/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { generation } from './plain-frames.ts'
import { welcomeFrom } from './welcomes.ts'

const store = writerFromBytes(new Uint8Array(8).fill(6)) as string as StoreId

/** Of who was at a position, with all that it holds. */
function helloAt(position: number): HelloFrame {
  const at = new Map([[generation, position]])
  const cursors = [{ generation, cut: position, place: position }]
  return helloWith({ cursors, frontier: at, reach: at, empty: false })
}

/** What answers it, where the feed went on. */
function welcomeAt(position: number, end: number): WelcomeFrame {
  return welcomeFrom(store, generation, {
    begin: 'resume',
    cursor: { generation, cut: position, place: position },
    frontier: new Map([[generation, end]]),
  })
}

function lengthOf(frame: Frame): number {
  return encodeFrame(frame).length
}

test('one position takes more bytes in a longer feed, and all others as many as before', () => {
  for (const [position, more] of [
    [100, 0],
    [1000, 1],
    [1_000_000, 2],
  ] as const) {
    expect(lengthOf(helloAt(position))).toBe(lengthOf(helloAt(1)) + more)
    expect(lengthOf(welcomeAt(position, position + 1))).toBe(lengthOf(welcomeAt(1, 2)) + more)
  }
})

test('a difference leads from each position to each, whatever is between them', () => {
  const edges = [
    0,
    1,
    2 ** 52 - 1,
    2 ** 52,
    2 ** 52 + 1,
    Number.MAX_SAFE_INTEGER - 1,
    Number.MAX_SAFE_INTEGER,
  ]
  const position = fc.oneof(fc.constantFrom(...edges), fc.maxSafeInteger().map(Math.abs))
  fc.assert(
    fc.property(position, position, (from, to) => {
      const frame = welcomeAt(from, to)
      expect(decodeFrame(encodeFrame(frame))).toEqual({ ok: true, value: frame })
    }),
  )
})

test('no difference leads beyond the positions, whoever sent it', () => {
  const bytes = encodeFrame(welcomeAt(5, 5))
  const greatest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]
  const next = encodeFrame(welcomeAt(5, 6))
  const at = bytes.findIndex((byte, i) => byte !== next[i])
  for (const [uint, led] of [
    [[1], 4],
    [greatest, 5 + 2 ** 52],
    [[0xfe, ...greatest.slice(1)], 4 + 2 ** 52],
  ] as const) {
    const decoded = decodeFrame(
      new Uint8Array([...bytes.subarray(0, at), ...uint, ...bytes.subarray(at + 1)]),
    )
    expect(decoded).toMatchObject({ ok: true, value: { frontier: new Map([[generation, led]]) } })
  }
})
