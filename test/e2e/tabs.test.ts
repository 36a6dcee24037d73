// Tabs of one browser: they are one replica, all of them read and write, and one of them has the connection.
import type { Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RelayProcess } from '../chaos/harness/relay-process.ts'
import { until } from '../chaos/harness/until.ts'
import { closeTab } from './harness/browser.ts'
import { freeze } from './harness/freeze.ts'
import { addNote, isSynced, openNotes, readNotes, typeInBody } from './harness/notes-page.ts'
import { serveNotes, type NotesSite } from './harness/notes-site.ts'
import { openPlace } from './harness/place.ts'

let site: NotesSite
beforeAll(async () => {
  site = await serveNotes()
})
afterAll(() => site.close())

test('[W1, A2] two tabs read and write one replica over one connection, which goes on when its tab is closed or dies', async () => {
  const { relay, wire, address, launch } = await openPlace(site)
  const alice = await launch('alice')
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
  const { relay, address, launch } = await openPlace(site)
  const alice = await launch('alice')
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
