// Pages that a relay keeps: new replicas come, between them people write, and each of them gets what is there then. They
// are made for who comes first, or before: where much came at once, or a space has grown by much and rests. They are stored.
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
  rowExists,
  writerFromBytes,
  type DocumentKey,
  type Frame,
  type Row,
  type StoreId,
  type Write,
} from '@rejoin/core'
import { createKernel, createMemoryDisk, type KernelOptions, type MemoryDisk } from '@rejoin/relay/kernel'
import { createChance, createScope, createSimulatedClock, helloWith } from '@rejoin/testkit'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { bareLink } from './bare-kernel.ts'

const part = partName('lww', 'n')
const writer = writerFromBytes(new Uint8Array(8).fill(7))
const chance = createChance(3)
const noLog = { error: () => {}, info: () => {}, debug: () => {} }

/** Everything that came over a session, and what became of it. */
interface Replica {
  readonly rows: ReadonlyMap<DocumentKey, Row>
  /** How many frames of rows came before the first cut. */
  readonly pages: number
  /** Resolves at the next cut with a fingerprint, which must be that of the rows that came. */
  level(): Promise<void>
  send(frame: Frame): Promise<void>
}

let ms = 1_764_000_000_000

async function openRelay(
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

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i)

test('a new replica is sent what one before it was sent, and nothing is read for it', async () => {
  const relay = await openRelay()
  for (let i = 0; i < 2000; i += 100) await relay.insert(upTo(2000).slice(i, i + 100))
  const read = await relay.readOf(async () => (await relay.join()).level())
  expect(read).toBe(2000)
  const second = await relay.join()
  await second.level()
  expect(second.rows.size).toBe(2000)
  expect(await relay.readOf(async () => (await relay.join()).level())).toBe(0)
  // A row of the first page changes: it comes once more, and all pages are kept.
  await relay.insert([3])
  expect(await relay.readOf(async () => (await relay.join()).level())).toBe(1)
  // Much of the first page changes: no other one is made anew.
  await relay.insert(upTo(200))
  const again = await relay.readOf(async () => (await relay.join()).level())
  expect([again > 500, again < 1000]).toEqual([true, true])
  expect(await relay.readOf(async () => (await relay.join()).level())).toBe(0)
})

test('[F3] a page that is longer than the credit of who comes first is sent to its end, and kept', async () => {
  const relay = await openRelay()
  // Two frames.
  await relay.insert(upTo(6000))
  const first = await relay.join(500)
  expect([first.pages, first.rows.size]).toEqual([2, 6000])
  await first.send({ type: 'credit', bytes: 1_000_000 })
  await first.level()
  expect(await relay.readOf(async () => (await relay.join()).level())).toBe(0)
})

test('[P2, P5] whatever is written between them, each new replica has what is there', async () => {
  const relay = await openRelay()
  await relay.insert(upTo(1500))
  let removed = 0
  for (let round = 0; round < 12; round++) {
    const replica = await relay.join()
    await replica.level()
    removed = [...replica.rows.values()].filter(row => !rowExists(row)).length
    const some = upTo(1 + chance.below(8)).map(() => chance.below(1700))
    const ids = [...new Set(some)]
    await (chance.chance(0.5) ? relay.insert(ids) : relay.remove(ids))
  }
  expect(removed).toBeGreaterThan(0)
})

test('[P4] who began before a deletion hears of it, whatever was kept for those who began later', async () => {
  const relay = await openRelay()
  for (let i = 0; i < 1500; i += 100) await relay.insert(upTo(1500).slice(i, i + 100))
  // They have credit for one page.
  const slow = await relay.join(500)
  const slower = await relay.join(500)
  expect(slow.pages).toBe(1)
  expect(slower.rows.size).toBeLessThan(1500)
  await relay.remove([0, 1400])
  await slow.send({ type: 'credit', bytes: 1_000_000 })
  await slow.level()
  const late = await relay.join()
  await late.level()
  expect([...late.rows.values()].filter(rowExists).length).toBe(1498)
  expect(await relay.readOf(async () => (await relay.join()).level())).toBe(0)
  await slower.send({ type: 'credit', bytes: 1_000_000 })
  await slower.level()
})

test('[P4] who began before a deletion is not sent pages in which those who began later are spared it', async () => {
  const relay = await openRelay()
  for (let i = 0; i < 1500; i += 100) await relay.insert(upTo(1500).slice(i, i + 100))
  const slow = await relay.join(500)
  expect(slow.pages).toBe(1)
  await relay.remove(upTo(1500).filter(id => id % 2 === 0))
  const late = await relay.join()
  await late.level()
  expect([late.rows.size, [...late.rows.values()].every(rowExists)]).toEqual([750, true])
  await slow.send({ type: 'credit', bytes: 1_000_000 })
  await slow.level()
})

test('who comes new after much was written, and nothing for a while, is sent what was made before', async () => {
  const relay = await openRelay()
  for (let i = 0; i < 2000; i += 100) await relay.insert(upTo(2000).slice(i, i + 100))
  expect(await relay.readOf(() => relay.clock.advance(1500))).toBe(2000)
  const read = await relay.readOf(async () => {
    const replica = await relay.join()
    await replica.level()
    expect(replica.rows.size).toBe(2000)
  })
  expect(read).toBe(0)
  // What is little is made for who asks for it.
  await relay.insert(upTo(10))
  expect(await relay.readOf(() => relay.clock.advance(5000))).toBe(0)
  expect(await relay.readOf(async () => (await relay.join()).level())).toBe(10)
})

test('while a space grows without end nothing is made for seconds, and then what there is', async () => {
  const relay = await openRelay()
  const grow = (from: number, to: number): Promise<number> =>
    relay.readOf(async () => {
      for (let i = from; i < to; i += 100) {
        await relay.insert(upTo(to).slice(i, i + 100))
        await relay.clock.advance(300)
      }
    })
  expect(await grow(0, 2000)).toBe(0)
  const made = await grow(2000, 5000)
  expect([made > 3000, made < 5000]).toEqual([true, true])
  expect(await relay.readOf(async () => (await relay.join()).level())).toBe(5000 - made)
})

test('many documents that come at once are a page at once, also for who begins anew, and nothing is read for it', async () => {
  const relay = await openRelay()
  await relay.insert([0])
  await relay.insert(upTo(3000).slice(1))
  const replica = await relay.join()
  await replica.level()
  // What came before them is no page.
  expect([replica.rows.size, relay.read()]).toEqual([3000, 1])
  const again = await openRelay(relay.disk)
  const other = await again.join()
  await other.level()
  expect([other.rows.size, again.read()]).toEqual([3000, 1])
  // Of which many change: these are read.
  await again.insert(upTo(600).slice(1))
  expect(await again.readOf(async () => (await again.join()).level())).toBe(599)
})

test('a page that cannot be made of them costs nobody what was written', async () => {
  const deflate = (): never => {
    throw new Error('no page')
  }
  const relay = await openRelay(
    createMemoryDisk(length => chance.bytes(length)),
    { deflate },
  )
  await relay.insert(upTo(300))
  await relay.insert(upTo(600).slice(300))
  const again = await openRelay(relay.disk)
  const replica = await again.join()
  await replica.level()
  expect([replica.rows.size, again.read()]).toEqual([600, 600])
})

test('where all that was in front of a page has left, that page begins earlier', async () => {
  const relay = await openRelay()
  await relay.insert([0])
  await relay.insert(upTo(3000).slice(1))
  await relay.insert([0])
  const replica = await relay.join()
  await replica.level()
  expect(replica.rows.size).toBe(3000)
  expect(await relay.readOf(async () => (await relay.join()).level())).toBe(0)
  expect(replica.pages).toBe(2)
})

test('[P4, P5] a write that comes while pages are made comes behind them, and the rest is made when it rests again', async () => {
  const relay = await openRelay()
  for (let i = 0; i < 2000; i += 100) await relay.insert(upTo(2000).slice(i, i + 100))
  let written: Promise<void> | null = null
  relay.atNextRead(() => (written = relay.remove([0, 499, 500, 1999])))
  const read = await relay.readOf(() => relay.clock.advance(1200))
  expect(read).toBeLessThan(2000)
  await written
  await relay.clock.advance(1500)
  const replica = await relay.join()
  await replica.level()
  expect([...replica.rows.values()].filter(rowExists).length).toBe(1996)
  expect(await relay.readOf(async () => (await relay.join()).level())).toBe(0)
})

test('a relay that ends makes none any more, and leaves no timer', async () => {
  const relay = await openRelay()
  for (let i = 0; i < 2000; i += 100) await relay.insert(upTo(2000).slice(i, i + 100))
  await relay.drain()
  const { steps } = relay.clock
  expect(await relay.readOf(() => relay.clock.advance(60_000))).toBe(0)
  expect(relay.clock.steps).toBe(steps)
})

test('after a relay has begun anew, who comes is sent what was stored, and nothing is read for it', async () => {
  const relay = await openRelay()
  for (let i = 0; i < 2000; i += 100) await relay.insert(upTo(2000).slice(i, i + 100))
  await relay.clock.advance(1500)
  const { disk } = relay
  const again = await openRelay(disk)
  const replica = await again.join()
  await replica.level()
  expect([replica.rows.size, again.read()]).toEqual([2000, 0])
  // What changed is read, and what was stored is sent all the same.
  await again.insert([3])
  await again.remove([1200, 1999])
  const later = await openRelay(disk)
  const other = await later.join()
  await other.level()
  expect([...other.rows.values()].filter(rowExists).length).toBe(1998)
  expect(later.read()).toBe(3)
  // Links that are given fewer bytes, or no longer, are sent nothing that was made for others.
  const deflating = await openRelay(disk, { deflate: frame => frame })
  expect(deflating.read()).toBeGreaterThan(1500)
})

test('what was made for who came first is stored once the space rests', async () => {
  const { disk, insert } = await openRelay()
  for (let i = 0; i < 2000; i += 100) await insert(upTo(2000).slice(i, i + 100))
  const second = await openRelay(disk)
  expect(second.read()).toBe(2000)
  expect((await openRelay(disk)).read()).toBe(2000)
  const last = await openRelay(disk)
  await last.clock.advance(1500)
  expect((await openRelay(disk)).read()).toBe(0)
})

test('of a stored page of which much has left, and of none beside it, another one is made', async () => {
  const { disk, insert, clock } = await openRelay()
  for (let i = 0; i < 2000; i += 100) await insert(upTo(2000).slice(i, i + 100))
  await clock.advance(1500)
  const second = await openRelay(disk)
  await second.insert(upTo(200))
  const third = await openRelay(disk)
  expect([third.read() > 500, third.read() < 1000]).toEqual([true, true])
})

test('[P2, P4, P5] whatever is written, stored and begun anew, each new replica has what is there', async () => {
  let relay = await openRelay()
  await relay.insert(upTo(1500))
  const here = new Set(upTo(1500))
  let [spared, stored] = [0, 0]
  for (let round = 0; round < 40; round++) {
    const ids = [...new Set(upTo(1 + chance.below(40)).map(() => chance.below(1700)))]
    if (chance.chance(0.5)) {
      await relay.insert(ids)
      for (const id of ids) here.add(id)
    } else {
      const known = ids.filter(id => here.has(id))
      await relay.remove(known)
      for (const id of known) here.delete(id)
    }
    if (chance.chance(0.3)) await relay.clock.advance(1500)
    if (chance.chance(0.3)) {
      relay = await openRelay(relay.disk)
      if (relay.read() < 1000) stored += 1
    }
    const replica = await relay.join()
    await replica.level()
    const rows = [...replica.rows].filter(([, row]) => rowExists(row)).map(([key]) => key)
    expect(rows.toSorted()).toEqual(Array.from(here, id => documentKey('notes', `n${id}`)).toSorted())
    if (replica.rows.size === here.size) spared += 1
  }
  expect([spared > 0, stored > 0]).toEqual([true, true])
})
