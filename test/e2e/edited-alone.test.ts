// One person changes one note some thousand times while nothing connects them, and nobody else touches it: that is no
// conflict, and who looks on only ever sees newer titles.
import { collection, openReplica, type Replica } from '@rejoin/client'
import { ask, text } from '@rejoin/resolve'
import {
  createChance,
  createSimulatedClock,
  createSimulatedDevice,
  createSimulatedNetwork,
  createSimulatedRelay,
} from '@rejoin/testkit'
import type { Page } from 'playwright'
import * as v from 'valibot'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Text } from 'yjs'
import { until } from '../chaos/harness/until.ts'
import { soak } from '../soak.ts'
import { isCutOff, isSynced, openNotes, readNote, reconnectMs, reloadNotes } from './harness/notes-page.ts'
import { serveNotes, type NotesSite } from './harness/notes-site.ts'
import { openPlace } from './harness/place.ts'

declare global {
  interface Window {
    /** Every title of the note that a live query showed, in order, and the most conflicts that there ever were. */
    watched?: { readonly titles: string[]; conflicts: number }
  }
}

let site: NotesSite
beforeAll(async () => {
  site = await serveNotes()
})
afterAll(() => site.close())

const id = 'edited-alone'
const changes = soak(1500, 300)
/** Tabs take turns, and after every second turn one of them is loaded again. */
const turns = 10
const atOnce = changes / turns
const titleOf = (n: number): string => `Title ${String(n).padStart(5, '0')}`
const bodyOf = (n: number): string => Array.from({ length: n }, (_, i) => `${i + 1} `).join('')

test(`[K1, W3] ${changes} titles and ${changes} words written offline in two tabs, with five reloads, are no conflict`, {
  timeout: soak(300_000, 120_000),
}, async () => {
  const { relay, wire, address, launch } = await openPlace(site)
  const alice = await launch('Alice')
  const tabs = [await openNotes(alice, address), await openNotes(alice, address)] as const
  await insertNote(tabs[0])
  const bob = await launch('Bob')
  const reader = await openNotes(bob, site.addressOf('team', relay))
  await isSynced(reader)
  await until(async () => (await readNote(reader, id))?.title === titleOf(0), 'both have the note')
  for (const page of [...tabs, reader]) await watch(page)

  wire.cut()
  for (const page of tabs) await isCutOff(page)
  for (let turn = 0; turn < turns; turn++) {
    const [writing, other] = turn % 2 === 0 ? tabs : ([tabs[1], tabs[0]] as const)
    await change(writing, turn * atOnce, atOnce)
    const last = titleOf((turn + 1) * atOnce)
    await until(async () => (await readNote(other, id))?.title === last, `the other tab shows ${last}`)
    if (turn % 2 === 0) continue
    expect((await watchedBy(writing)).conflicts).toBe(0)
    await reloadNotes(writing)
    await watch(writing)
  }
  wire.heal()
  for (const page of tabs) await isSynced(page, reconnectMs)
  await until(async () => (await readNote(reader, id))?.title === titleOf(changes), `bob sees the last title`)
  await isSynced(reader)
  for (const page of [...tabs, reader]) {
    expect(await readNote(page, id)).toMatchObject({ title: titleOf(changes), body: bodyOf(changes) })
    expect((await watchedBy(page)).conflicts).toBe(0)
    expect(await page.evaluate(() => window.replica?.status.get())).toMatchObject({
      pending: 0,
      quarantined: 0,
    })
  }
  const { titles } = await watchedBy(reader)
  expect(titles).toEqual([...titles].sort())
  expect([...alice.complaints, ...bob.complaints]).toEqual([])
})

test('[K1, D2] what one person wrote alone is no conflict when they were away for longer than anything deleted is remembered', {
  timeout: soak(300_000, 60_000),
}, async () => {
  const notes = collection('notes', { title: ask(v.string()), body: text() })
  const [url, epoch] = ['ws://relay', Date.UTC(2027, 0)]
  const [clock, chance] = [createSimulatedClock(), createChance(7)]
  const network = createSimulatedNetwork(clock, chance)
  const world = { url, clock, chance, network }
  await createSimulatedRelay({ ...world, epoch: () => epoch }).start()
  const [hers, his] = ['alice', 'bob'].map(name => createSimulatedDevice(name, { ...world, epoch }))
  const open = async (device: typeof hers): Promise<Replica<{ notes: typeof notes }>> => {
    const name = device?.name ?? ''
    const options = { space: 'team', relays: [url], token: () => name, collections: { notes } }
    const opening = openReplica({ ...options, ports: device?.openTab().ports })
    await clock.advance(1000)
    return opening
  }
  const close = async (...replicas: readonly Replica<{ notes: typeof notes }>[]): Promise<void> => {
    const closing = Promise.all(replicas.map(replica => replica.close()))
    await clock.advance(5000)
    await closing
  }
  const [first, second, bob] = [await open(hers), await open(hers), await open(his)]
  first.notes.insert({ title: titleOf(0) }, { id })
  bob.notes.insert({ title: 'Deleted meanwhile' }, { id: 'deleted' })
  await clock.advance(60_000)
  network.cut('alice', url, 'told')
  const handles = [first, second].map(replica => ({ replica, handle: replica.notes.text(id, 'body') }))
  await clock.advance(100)
  for (let n = 1; n <= changes; n++) {
    const { replica, handle } = handles[Math.floor(n / atOnce) % 2] as (typeof handles)[number]
    replica.notes.update(id, { title: titleOf(n) })
    const body = handle.text as Text
    body.insert(body.length, `${n} `)
    await clock.advance(n % atOnce === atOnce - 1 ? 1000 : 10)
  }
  bob.notes.delete('deleted')
  await clock.advance(60_000)
  await close(first, second, bob)
  await clock.advance(100 * 24 * 3_600_000)

  const reader = await open(his)
  const titles: (string | undefined)[] = []
  reader.notes.query().subscribe(rows => titles.push(rows.find(row => row.id === id)?.title))
  const most: number[] = []
  reader.conflicts.subscribe(conflicts => most.push(conflicts.length))
  await clock.advance(120_000)
  network.heal('alice', url)
  const back = await open(hers)
  await clock.advance(120_000)
  for (const replica of [reader, back]) {
    expect(replica.status.get()).toMatchObject({ synced: true, conflicts: 0, quarantined: 0 })
    expect(
      replica.notes
        .query()
        .get()
        .map(({ title }) => title),
    ).toEqual([titleOf(changes)])
    const body = replica.notes.text(id, 'body')
    await clock.advance(100)
    expect(String(body.text)).toBe(bodyOf(changes))
  }
  expect(titles.at(-1)).toBe(titleOf(changes))
  expect(titles).toEqual([...titles].sort())
  expect(most.filter(count => count > 0)).toEqual([])
  await close(reader, back)
})

function insertNote(page: Page): Promise<void> {
  return page.evaluate(
    async ([note, title]) => {
      await window.replica?.notes.insert({ title }, { id: note }).reached('relay')
    },
    [id, titleOf(0)] as const,
  )
}

/** Changes title and body so many times, each in a task of its own; resolves when all of it is on this device. */
function change(page: Page, from: number, count: number): Promise<void> {
  return page.evaluate(
    async ([note, after, titles]) => {
      const { replica } = window
      if (replica === undefined) throw new Error('there is no replica')
      const handle = replica.notes.text(note, 'body')
      await handle.whenReady
      const body = handle.text as Text
      const { port1, port2 } = new MessageChannel()
      port1.start()
      let last: { reached(level: 'local'): Promise<void> } | null = null
      for (const [i, title] of titles.entries()) {
        last = replica.notes.update(note, { title })
        body.insert(body.length, `${after + i + 1} `)
        const turn = new Promise(resolve => port1.addEventListener('message', resolve, { once: true }))
        port2.postMessage(null)
        await turn
      }
      await last?.reached('local')
      handle.close()
    },
    [id, from, Array.from({ length: count }, (_, i) => titleOf(from + i + 1))] as const,
  )
}

async function watch(page: Page): Promise<void> {
  await page.evaluate(note => {
    const watched: NonNullable<Window['watched']> = { titles: [], conflicts: 0 }
    window.watched = watched
    window.replica?.notes.query().subscribe(rows => {
      const title = rows.find(row => row.id === note)?.title
      if (title !== undefined && title !== watched.titles.at(-1)) watched.titles.push(title)
    })
    window.replica?.conflicts.subscribe(conflicts => {
      watched.conflicts = Math.max(watched.conflicts, conflicts.length)
    })
  }, id)
}

async function watchedBy(page: Page): Promise<NonNullable<Window['watched']>> {
  return page.evaluate(() => window.watched ?? { titles: [], conflicts: -1 })
}
