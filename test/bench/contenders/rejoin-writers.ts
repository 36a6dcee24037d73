/**
 * Acknowledged writes at Rejoin's relay: sockets that keep so many submits in flight, each of one transaction with one
 * field, in frames of their own, as a client that hears of each write before the next would send them.
 */
import {
  documentKey,
  encodeValue,
  nothingReplaced,
  noTexts,
  partName,
  writerFromBytes,
  type Mark,
  type WriterId,
} from '@rejoin/core'
import { randomBytes } from 'node:crypto'
import { openBareSession } from './rejoin-session.ts'
import { sleep } from '../measure/waiting.ts'

const part = partName('lww', 'n')

/** Acknowledged writes in so many milliseconds. */
export async function rejoinAcknowledged(
  port: number,
  connections: number,
  inFlight: number,
  ms: number,
): Promise<number> {
  const writers = await Promise.all(
    Array.from({ length: connections }, (_, i) => openWriter(port, `room-${i}`, inFlight)),
  )
  for (const writer of writers) writer.begin()
  await sleep(ms)
  const acknowledged = writers.reduce((sum, writer) => sum + writer.acknowledged, 0)
  for (const writer of writers) writer.end()
  return acknowledged
}

interface Writing {
  readonly acknowledged: number
  begin(): void
  end(): void
}

async function openWriter(port: number, space: string, inFlight: number): Promise<Writing> {
  const writer: WriterId = writerFromBytes(randomBytes(8))
  const key = documentKey('recs', space)
  let ms = Date.now()
  let last: Mark | null = null
  let sent = 0
  let acknowledged = 0
  let isOver = false

  function submit(): void {
    ms += 1
    const mark = { ms, tick: 0, writer }
    const cell = { strategy: 'lww', last: mark, value: encodeValue(ms) } as const
    const replaced = last === null ? nothingReplaced : new Map([[part, last]])
    last = mark
    const delta = { cells: new Map([[part, cell]]), deletion: null, revival: sent === 0 ? mark : null }
    const write = { key, mark, delta, whole: sent === 0, texts: noTexts, replaced }
    const transactions = [{ writes: [write], preconditions: [] }]
    session.send({ type: 'submit', round: 0, transactions })
    sent += 1
  }

  const session = await openBareSession(port, space, frame => {
    if (frame.type !== 'verdict' || isOver) return
    if (frame.exceptions.some(({ kind }) => kind === 'refused')) throw new Error('a write was refused')
    const more = frame.count - acknowledged
    acknowledged = frame.count
    for (let i = 0; i < more; i++) submit()
  })
  session.send({ type: 'range', ranges: [] })
  return {
    get acknowledged() {
      return acknowledged
    },
    begin() {
      for (let i = 0; i < inFlight; i++) submit()
    },
    end() {
      isOver = true
      session.end()
    },
  }
}
