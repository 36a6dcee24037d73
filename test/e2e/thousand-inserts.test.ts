// A thousand notes that one tab adds at once: another tab of the browser has them without a touch, and so has whoever
// comes later.
import type { Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../chaos/harness/until.ts'
import { isCutOff, isSynced, openNotes, reconnectMs } from './harness/notes-page.ts'
import { serveNotes, type NotesSite } from './harness/notes-site.ts'
import { openPlace } from './harness/place.ts'

declare global {
  interface Window {
    /** Of each batch, how many of it a live query held at each of its calls. */
    counts?: Map<string, number[]>
  }
}

let site: NotesSite
beforeAll(async () => {
  site = await serveNotes()
})
afterAll(() => site.close())

const ways = ['transaction', 'tick', 'tasks'] as const
/** From when the last of a thousand is stored until the other tab shows all of them. */
const lateMsMax = 2000

test('[W2] a thousand inserts of one tab are in the other without a touch, those of one transaction in one step', {
  timeout: 180_000,
}, async () => {
  const { wire, address, launch } = await openPlace(site)
  const alice = await launch('Alice')
  const writing = await openNotes(alice, address)
  const watching = await openNotes(alice, address)
  for (const page of [writing, watching]) await isSynced(page)
  await watchCounts(watching)

  for (const round of ['online', 'offline']) {
    if (round === 'offline') {
      wire.cut()
      await isCutOff(watching)
    }
    for (const way of ways) {
      const name = `${round} ${way}`
      await insertThousand(writing, way, name)
      const stored = performance.now()
      await until(async () => (await countsOf(watching, name)).at(-1) === 1000, `a thousand of ${name}`)
      expect(performance.now() - stored, name).toBeLessThanOrEqual(lateMsMax)
    }
    const steps = (await countsOf(watching, `${round} transaction`)).filter(count => count > 0)
    expect([...new Set(steps)]).toEqual([1000])
  }

  wire.heal()
  await isSynced(watching, reconnectMs)
  const bob = await launch('Bob')
  const other = await openNotes(bob, address)
  await isSynced(other)
  for (const page of [writing, watching, other]) expect(await countTitles(page)).toEqual([6000, 6000])
  for (const page of [writing, watching]) {
    expect(await page.evaluate(() => window.replica?.status.get())).toMatchObject({
      pending: 0,
      quarantined: 0,
    })
  }
  expect([...alice.complaints, ...bob.complaints]).toEqual([])
})

/** Inserts, and resolves when the last of them is stored. Their titles begin with the name. */
function insertThousand(page: Page, way: (typeof ways)[number], name: string): Promise<void> {
  return page.evaluate(
    async ([how, prefix]) => {
      const { replica } = window
      if (replica === undefined) throw new Error('there is no replica')
      const insertOne = (i: number): Promise<void> =>
        replica.notes.insert({ title: `${prefix} ${i}` }).reached('local')
      if (how === 'transaction') {
        const all = replica.transact(tx => {
          for (let i = 0; i < 1000; i++) tx.notes.insert({ title: `${prefix} ${i}` })
        })
        return all.reached('local')
      }
      const stored: Promise<void>[] = []
      // A timer would make each of a thousand tasks wait for 4 ms.
      const { port1, port2 } = new MessageChannel()
      for (let i = 0; i < 1000; i++) {
        stored.push(insertOne(i))
        if (how !== 'tasks') continue
        const turn = new Promise(resolve => port1.addEventListener('message', resolve, { once: true }))
        port1.start()
        port2.postMessage(null)
        await turn
      }
      await Promise.all(stored)
    },
    [way, name] as const,
  )
}

async function watchCounts(page: Page): Promise<void> {
  await page.evaluate(() => {
    const counts = new Map<string, number[]>()
    window.counts = counts
    window.replica?.notes.query({ orderBy: 'title', limit: 10_000 }).subscribe(rows => {
      const now = new Map<string, number>()
      for (const { title } of rows) {
        const name = title.split(' ').slice(0, 2).join(' ')
        now.set(name, (now.get(name) ?? 0) + 1)
      }
      for (const [name, count] of now) counts.set(name, [...(counts.get(name) ?? []), count])
    })
  })
}

function countsOf(page: Page, name: string): Promise<readonly number[]> {
  return page.evaluate(batch => window.counts?.get(batch) ?? [], name)
}

/** How many notes there are, and how many titles, all of which differ. */
function countTitles(page: Page): Promise<readonly number[]> {
  return page.evaluate(() => {
    const rows = window.replica?.notes.query().get() ?? []
    return [rows.length, new Set(rows.map(({ title }) => title)).size]
  })
}
