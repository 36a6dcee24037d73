// The benchmark in small, for every test run: what is counted, which no other program on the machine can change, and CPU
// time by the CPU time of a yardstick in the same second. Bounds are about one and a half times what they are now.
import type { Replica } from '@rejoin/client'
import { expect, onTestFinished, test } from 'vitest'
import type { recs } from './contenders/rejoin-client.ts'
import { openPlace, type Counts, type Place } from './guard/in-process.ts'
import { turn, until } from './measure/waiting.ts'
import { entries, entryAt, entryId } from './records.ts'

type Guarded = Replica<{ recs: typeof recs }>

const list = entries(1000)

async function place(): Promise<Place> {
  const opened = await openPlace()
  onTestFinished(() => opened.close())
  return opened
}

async function level(...replicas: readonly Guarded[]): Promise<void> {
  await until(() => replicas.every(replica => replica.status.get().synced), 'everybody is level')
}

function seed(replica: Guarded): void {
  replica.transact(tx => {
    for (const [id, entry] of list) tx.recs.insert(entry, { id })
  })
}

/** What happened meanwhile, for each of so many. */
async function counted({ counts }: Place, each: number, run: () => Promise<void>): Promise<Counts> {
  const { frames, bytes, transactions } = counts
  await run()
  return {
    frames: (counts.frames - frames) / each,
    bytes: (counts.bytes - bytes) / each,
    transactions: (counts.transactions - transactions) / each,
  }
}

function cpuMs(): number {
  // Of this thread alone: what compiles and collects beside it is by chance.
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** The least of several, each by a yardstick beside it: what others take from the machine, they take from both. */
async function leastByYardstick(rounds: number, run: () => Promise<number>): Promise<number> {
  let least = Infinity
  for (let round = 0; round < rounds; round++) {
    const before = yardstick()
    const took = await run()
    least = Math.min(least, took / Math.min(before, yardstick()))
  }
  return least
}

function yardstick(): number {
  const start = cpuMs()
  for (let i = 0; i < 10; i++) if (JSON.parse(JSON.stringify(list)).length !== list.length) return Number.NaN
  return cpuMs() - start
}

test('a change on its way from one replica to another takes as few messages, bytes and transactions as it did', async () => {
  const here = await place()
  const [a, b] = [await here.open('a'), await here.open('b')]
  seed(a)
  await level(a, b)
  const each = await counted(here, 20, async () => {
    for (let i = 0; i < 20; i++) {
      a.recs.update(entryId(i), { n: -i })
      await until(() => b.recs.get(entryId(i))?.n === -i, 'the change has come')
      await level(a, b)
    }
  })
  expect.soft(each.frames).toBeLessThan(4.5)
  expect.soft(each.bytes).toBeLessThan(72)
  expect.soft(each.transactions).toBeLessThan(4.5)
})

test('a burst is gathered: messages and transactions are by the tick and not by the change', async () => {
  const here = await place()
  const [a, b] = [await here.open('a'), await here.open('b')]
  seed(a)
  await level(a, b)
  const each = await counted(here, 2000, async () => {
    for (let i = 0; i < 2000; i++) {
      a.recs.update(entryId(i % 1000), { n: 10_000 + i })
      if (i % 100 === 99) await turn()
    }
    await until(() => b.recs.get(entryId(999))?.n === 11_999, 'the burst has come')
    await level(a, b)
  })
  expect.soft(each.frames).toBeLessThan(0.05)
  expect.soft(each.bytes).toBeLessThan(9.5)
  expect.soft(each.transactions).toBeLessThan(0.05)
})

test('a new replica gets a thousand documents in few messages, and who has them is sent nothing when it comes back', async () => {
  const here = await place()
  const a = await here.open('a')
  seed(a)
  await level(a)
  const cold = await counted(here, 1, async () => {
    const b = await here.open('b')
    await level(a, b)
    expect(b.recs.query().get().length).toBe(list.length)
  })
  expect.soft(cold.frames).toBeLessThan(6.5)
  expect.soft(cold.bytes).toBeLessThan(140_000)
  expect.soft(cold.transactions).toBeLessThan(6.5)
  const again = await counted(here, 1, async () => {
    a.pause()
    await turn()
    a.resume()
    await level(a)
  })
  expect.soft(again.frames).toBeLessThan(6.5)
  expect.soft(again.bytes).toBeLessThan(190)
})

test('a write costs as much with ten thousand in the outbox as with none', async () => {
  const here = await place()
  const a = await here.open('a')
  a.pause()
  seed(a)
  await a.recs.insert(entryAt(0), { id: 'warm' }).reached('local')
  const some = async (from: number): Promise<number> => {
    const start = cpuMs()
    for (let i = 0; i < 500; i++) {
      a.recs.update(entryId(i), { n: from + i })
      await Promise.resolve()
    }
    return cpuMs() - start
  }
  await some(10_000)
  const few = Math.min(await some(20_000), await some(30_000))
  for (let i = 0; i < 10_000; i++) a.recs.update(entryId(i % 1000), { status: `${i}` })
  const many = Math.min(await some(40_000), await some(50_000), await some(60_000))
  expect(many / few).toBeLessThan(2.5)
})

test('to insert, to send, to judge, to pull and to read cost no more CPU than they did, by a yardstick', async () => {
  const least = await leastByYardstick(5, async () => {
    const here = await openPlace()
    const [a, b] = [await here.open('a'), await here.open('b')]
    const start = cpuMs()
    seed(a)
    await level(a, b)
    await until(() => b.recs.query().get().length === list.length, 'all is there')
    for (let i = 0; i < 1000; i++) {
      a.recs.update(entryId(i), { n: -i })
      if (i % 100 === 99) await turn()
    }
    await until(() => b.recs.get(entryId(999))?.n === -999, 'the burst has come')
    const took = cpuMs() - start
    await here.close()
    return took
  })
  expect(least).toBeLessThan(21)
})
