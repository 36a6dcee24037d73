// Tabs of one browser: they are one replica, all of them read and write, and one of them has the connection.
import { openTcpProxy, type TcpProxy } from '@rejoin/testkit/tcp-proxy'
import type { Page } from 'playwright'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startRelayProcess, type RelayProcess } from '../chaos/harness/relay-process.ts'
import { until } from '../chaos/harness/until.ts'
import { closeTab, launchProfile, type Profile } from './harness/browser.ts'
import { addNote, isCutOff, isSynced, openNotes, readNotes, typeInBody } from './harness/notes-page.ts'
import { serveNotes, type NotesSite } from './harness/notes-site.ts'

interface Place {
  readonly relay: RelayProcess
  readonly wire: TcpProxy
  readonly alice: Profile
  readonly address: string
}

let site: NotesSite
beforeAll(async () => {
  site = await serveNotes()
})
afterAll(() => site.close())

test('[W1, A2] two tabs read and write one replica over one connection, which goes on when its tab is closed or dies', async () => {
  const { relay, wire, alice, address } = await openPlace()
  const first = await openNotes(alice, address)
  const second = await openNotes(alice, address)
  for (const page of [first, second]) await isSynced(page)

  const id = await addNote(first, 'From the first tab', 'one')
  await untilSame(first, second)
  await second.locator(`a[data-note-id="${id}"]`).click()
  await typeInBody(second, ' two', 'end')
  await untilBody(first, id, 'one two')
  await typeInBody(first, ' three', 'end')
  await untilBody(second, id, 'one two three')
  // The second tab has no connection of its own, and what it wrote gets to the relay all the same.
  await insert(second, 'From the second tab', 'relay')
  await untilSessions(relay, { open: 1, ever: 1 })
  expect(wire.open).toBe(1)

  await closeTab(first)
  await insert(second, 'By the tab that took over', 'relay')
  await untilSessions(relay, { open: 1, ever: 2 })

  const third = await openNotes(alice, address)
  await untilSame(second, third)
  await crash(second)
  await insert(third, 'By the tab that was left', 'relay')
  await untilSessions(relay, { open: 1, ever: 3 })

  const bob = await launch('bob')
  const other = await openNotes(bob, address)
  await isSynced(other)
  expect(
    Object.values(await readNotes(other))
      .map(({ title }) => title)
      .sort(),
  ).toEqual([
    'By the tab that took over',
    'By the tab that was left',
    'From the first tab',
    'From the second tab',
  ])
  expect((await readNotes(other))[id]?.body).toBe('one two three')
  expect([...alice.complaints, ...bob.complaints]).toEqual([])
})

test('[W1, W6] a tab that freezes with the connection is taken over, and loses nothing when it wakes', async () => {
  const { relay, alice, address } = await openPlace()
  const frozen = await openNotes(alice, address)
  const awake = await openNotes(alice, address)
  for (const page of [frozen, awake]) await isSynced(page)
  await insert(frozen, 'Before', 'relay')

  const wake = await freeze(frozen)
  await insert(awake, 'While it is frozen', 'relay')
  await untilSessions(relay, { ever: 2 })
  await wake()
  await insert(frozen, 'After it woke', 'relay')
  await untilSame(frozen, awake)
  await untilSessions(relay, { open: 1, ever: 2 })
  for (const page of [frozen, awake]) await isSynced(page)
  expect(
    Object.values(await readNotes(frozen))
      .map(({ title }) => title)
      .sort(),
  ).toEqual(['After it woke', 'Before', 'While it is frozen'])
  expect(alice.complaints).toEqual([])
})

test('[W2] a thousand inserts of one tab are in the other without a touch, those of one transaction in one step', {
  timeout: 120_000,
}, async () => {
  const { wire, alice, address } = await openPlace()
  const writing = await openNotes(alice, address)
  const watching = await openNotes(alice, address)
  for (const page of [writing, watching]) await isSynced(page)
  await watchCounts(watching)
  const lateMs: number[] = []

  for (const round of ['online', 'offline']) {
    if (round === 'offline') {
      wire.cut()
      await isCutOff(watching)
    }
    for (const way of ['transaction', 'tick', 'tasks'] as const) {
      const name = `${round} ${way}`
      await insertThousand(writing, way, name)
      const stored = performance.now()
      await until(async () => (await countsOf(watching, name)).at(-1) === 1000, `a thousand of ${name}`)
      lateMs.push(Math.round(performance.now() - stored))
    }
    const steps = (await countsOf(watching, `${round} transaction`)).filter(count => count > 0)
    expect([...new Set(steps)]).toEqual([1000])
  }
  wire.heal()
  await isSynced(watching)
  const bob = await launch('bob')
  const other = await openNotes(bob, address)
  await isSynced(other)
  expect(await other.evaluate(() => window.replica?.notes.query().get().length)).toBe(6000)
  expect([...alice.complaints, ...bob.complaints]).toEqual([])
  console.log(`seen in the other tab ${lateMs.join(', ')} ms after the last of a thousand was stored`)
})

async function openPlace(): Promise<Place> {
  const relay = await startRelayProcess()
  onTestFinished(() => relay.close())
  const wire = await openTcpProxy(relay.port)
  onTestFinished(() => wire.close())
  return { relay, wire, alice: await launch('alice'), address: site.addressOf('team', wire) }
}

async function launch(name: string): Promise<Profile> {
  const profile = await launchProfile({ name })
  onTestFinished(() => profile.close())
  return profile
}

/** Waits until the relay's own log has so many sessions. */
async function untilSessions(
  relay: RelayProcess,
  wanted: { readonly open?: number; readonly ever: number },
): Promise<void> {
  const count = (): { readonly open: number; readonly ever: number } => {
    const ever = relay.log.filter(({ msg }) => msg === 'session opened').length
    return { ever, open: ever - relay.log.filter(({ msg }) => msg === 'session closed').length }
  }
  await until(
    () => count().ever === wanted.ever && (wanted.open ?? count().open) === count().open,
    () => `the relay has ${JSON.stringify(wanted)} sessions, not ${JSON.stringify(count())}`,
  )
}

/** Inserts a note and waits until it has reached a level. */
function insert(page: Page, title: string, level: 'local' | 'relay'): Promise<void> {
  return page.evaluate(
    async ([text, wanted]) => {
      await window.replica?.notes.insert({ title: text }).reached(wanted, { timeoutMs: 30_000 })
    },
    [title, level] as const,
  )
}

async function untilSame(left: Page, right: Page): Promise<void> {
  await until(
    async () => JSON.stringify(await readNotes(left)) === JSON.stringify(await readNotes(right)),
    'two tabs show the same',
  )
}

async function untilBody(page: Page, id: string, body: string): Promise<void> {
  await until(async () => (await readNotes(page))[id]?.body === body, `the body is ${body}`)
}

/** Ends the process of a tab, and nothing else of the browser. */
async function crash(page: Page): Promise<void> {
  const crashed = new Promise<void>(resolve => page.on('crash', () => resolve()))
  const session = await page.context().newCDPSession(page)
  session.send('Page.crash').catch(() => {})
  await crashed
}

/** Nothing of the tab's code runs any more, and its locks and sockets stay. Returns how to wake it. */
async function freeze(page: Page): Promise<() => Promise<void>> {
  const session = await page.context().newCDPSession(page)
  await session.send('Debugger.enable')
  const paused = new Promise<void>(resolve => session.on('Debugger.paused', () => resolve()))
  await session.send('Debugger.pause')
  await paused
  return async () => {
    await session.send('Debugger.resume')
    await session.detach()
  }
}

/** Inserts, and resolves when the last of them is stored. Their titles begin with the name. */
function insertThousand(page: Page, way: 'transaction' | 'tick' | 'tasks', name: string): Promise<void> {
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

declare global {
  interface Window {
    /** Of each batch, how many of it a live query held at each of its calls. */
    counts?: Map<string, number[]>
  }
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
