/** A relay of one space, people who write to it, and new replicas, of which it is counted what was read for them. */
import {
  createDictionary,
  decodeFrame,
  documentKey,
  emptyFingerprint,
  emptyRow,
  encodeValue,
  joinRows,
  nothingReplaced,
  noTexts,
  partName,
  replaceInFingerprint,
  writerFromBytes,
  type DocumentKey,
  type Frame,
  type Row,
  type StoreId,
  type Write,
} from '@rejoin/core'
import { createKernel, createMemoryDisk, type KernelOptions, type MemoryDisk } from '@rejoin/relay/kernel'
import { createChance, createScope, createSimulatedClock, helloWith, type Chance } from '@rejoin/testkit'
import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'vitest'
import { bareLink } from './bare-kernel.ts'

const part = partName('lww', 'n')
const writer = writerFromBytes(new Uint8Array(8).fill(7))
export const chance: Chance = createChance(3)
const noLog = { error: () => {}, info: () => {}, debug: () => {} }

/** Everything that came over a session, and what became of it. */
export interface Replica {
  readonly rows: ReadonlyMap<DocumentKey, Row>
  /** How many frames of rows came before the first cut. */
  readonly pages: number
  /** Resolves at the next cut with a fingerprint, which must be that of the rows that came. */
  level(): Promise<void>
  send(frame: Frame): Promise<void>
}

let ms = 1_764_000_000_000

export async function openRelay(
  disk: MemoryDisk = createMemoryDisk(length => chance.bytes(length)),
  options: Pick<KernelOptions, 'deflate'> = {},
) {
  const opened = await disk.open()
  let read = 0
  let onRead = (): void => {}
  const clock = createSimulatedClock()
  const scope = createScope(clock)
  const store: typeof opened = {
    ...opened,
    async feed(space, after, limit) {
      const rows = await opened.feed(space, after, limit)
      read += rows.length
      onRead()
      return rows
    },
  }
  const kernel = createKernel({
    ...options,
    store,
    runtime: {
      now: () => ms,
      monotonic: () => clock.time,
      randomBytes: length => chance.bytes(length),
      after: (delayMs, run) => scope.after(delayMs, run),
    },
    token: async token => ({ user: token }),
    access: async () => 'write',
    accept: () => true,
    log: noLog,
  })

  async function join(credit = 0): Promise<Replica> {
    const rows = new Map<DocumentKey, Row>()
    const names = createDictionary()
    let pages = 0
    let hear = (): void => {}
    const take = (bytes: Uint8Array): void => {
      const decoded = decodeFrame(Uint8Array.from(bytes), names)
      if (!decoded.ok) throw new Error(decoded.error.code)
      const frame = decoded.value
      if (frame.type === 'refuse') throw new Error(frame.error.code)
      if (frame.type !== 'changes') return
      if (frame.rows.length > 0) pages += 1
      for (const { key, delta } of frame.rows) rows.set(key, joinRows(rows.get(key) ?? emptyRow, delta))
      if ((frame.cut?.fingerprint ?? null) === null) return
      let counted = emptyFingerprint
      for (const row of rows.values()) counted = replaceInFingerprint(counted, undefined, row)
      expect(frame.cut?.fingerprint).toEqual(counted)
      hear()
    }
    const session = kernel.attach({ ...bareLink, send: take })
    const send = async (frame: Frame): Promise<void> => {
      session.receive(frame, 0)
      for (let i = 0; i < 20; i++) await turn()
    }
    const levelled = new Promise<void>(resolve => {
      hear = resolve
    })
    await send(helloWith({ replica: writerFromBytes(chance.bytes(8)) as string as StoreId, credit }))
    await send({ type: 'range', ranges: [] })
    return {
      rows,
      get pages() {
        return pages
      },
      level: () => levelled,
      send,
    }
  }

  const author = await join()
  let round = 0
  async function write(ids: readonly number[], make: (mark: Write['mark']) => Row): Promise<void> {
    ms += 1
    const writes = ids.map((id, tick): Write => {
      const mark = { ms, tick, writer }
      const key = documentKey('notes', `n${id}`)
      const delta = make(mark)
      const whole = delta.deletion === null
      return { mark, key, delta, texts: noTexts, replaced: nothingReplaced, whole }
    })
    const transactions = writes.map(one => ({ writes: [one], preconditions: [] }))
    await author.send({ type: 'submit', round, transactions })
    // Of what is not here nothing can be removed; the rest is written.
    round += 1
    await author.send({ type: 'go-on', round })
  }

  return {
    join,
    clock,
    disk,
    /** How many rows were read of the feed since it was opened, for who wrote and for who joined. */
    read: () => read,
    drain: () => kernel.drain(),
    /** Runs when the store has been read next. */
    atNextRead: (run: () => void) => {
      onRead = () => {
        onRead = () => {}
        run()
      }
    },
    readOf: async (run: () => Promise<unknown>) => {
      const before = read
      await run()
      return read - before
    },
    insert: (ids: readonly number[]) =>
      write(ids, mark => ({
        cells: new Map([[part, { strategy: 'lww', last: mark, value: encodeValue(mark.tick) }]]),
        deletion: null,
        revival: mark,
      })),
    remove: (ids: readonly number[]) =>
      write(ids, mark => ({
        cells: new Map(),
        deletion: { mark, policy: 'delete-wins', seen: new Map() },
        revival: null,
      })),
  }
}

export const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i)
