// What the notes app says of one's own changes while they go from the screen to this device, and on to a relay; and
// what becomes of them when somebody takes another name.
import { openTcpProxy } from '@rejoin/testkit/tcp-proxy'
import type { Page } from 'playwright'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startRelayProcess } from '../chaos/harness/relay-process.ts'
import { until } from '../chaos/harness/until.ts'
import { launchProfile } from './harness/browser.ts'
import {
  addNote,
  introduce,
  isCutOff,
  isSynced,
  openNote,
  openNotes,
  readNotes,
  reloadNotes,
  says,
  typeInBody,
} from './harness/notes-page.ts'
import { serveNotes, type NotesSite } from './harness/notes-site.ts'
import { photograph, photographNarrow } from './harness/picture.ts'

let site: NotesSite
beforeAll(async () => {
  site = await serveNotes()
})
afterAll(() => site.close())

test('[W1, A2] a change is called saved when it is on this device, and its note is marked until a relay has it', async () => {
  const relay = await startRelayProcess()
  onTestFinished(() => relay.close())
  const wire = await openTcpProxy(relay.port)
  onTestFinished(() => wire.close())
  const alice = await launchProfile({ name: 'Alice', prepare: context => introduce(context, 'Alice') })
  onTestFinished(() => alice.close())
  const page = await openNotes(alice, site.addressOf('team', wire))
  const trip = await addNote(page, 'Trip to the sea', 'We leave on Friday.')
  const other = await addNote(page, 'Shopping', 'Bread')
  await isSynced(page)
  expect(await markedNotes(page)).toEqual([])

  wire.cut()
  await isCutOff(page)
  await openNote(page, trip)
  await typeInBody(page, ' At nine.', 'end')
  await until(async () => (await markedNotes(page)).length > 0, 'the note is marked')
  await says(page, 'on this device, not yet on a relay')
  expect(await markedNotes(page)).toEqual([trip])
  await photograph(page, 'states-pending')
  await photographNarrow(page, 'states-pending-phone')
  // What was typed is known to be unsent also after the page was loaded again.
  await reloadNotes(page)
  expect(await markedNotes(page)).toEqual([trip])

  // The disk takes its time.
  await openNote(page, other)
  const release = await holdDisk(page)
  await typeInBody(page, ', apples', 'end')
  await says(page, 'Saving on this device…')
  await photograph(page, 'states-saving')
  await release()
  await says(page, 'on this device, not yet on a relay')

  wire.heal()
  await isSynced(page)
  await says(page, 'All changes are on the relay')
  expect(await markedNotes(page)).toEqual([])
  await photograph(page, 'states-settled')
  await photographNarrow(page, 'states-settled-phone')
  expect(alice.complaints).toEqual([])
})

test('[Q4] who takes another name keeps the old one until all that was written under it is sent', async () => {
  const relay = await startRelayProcess()
  onTestFinished(() => relay.close())
  const wire = await openTcpProxy(relay.port)
  onTestFinished(() => wire.close())
  const profile = await launchProfile({ name: 'somebody' })
  onTestFinished(() => profile.close())
  const page = await openNotes(profile, site.addressOf('names', wire))
  const drawn = await userOf(page)
  await addNote(page, 'Sent under the drawn name', 'a')
  await isSynced(page)

  wire.cut()
  await isCutOff(page)
  await addNote(page, 'Written offline', 'b')
  await takeName(page, 'Carol')
  await photograph(page, 'states-renamed')
  await reloadNotes(page)
  expect(await userOf(page)).toBe(drawn)
  expect(Object.keys(await readNotes(page))).toHaveLength(2)
  expect(await page.getByTestId('person').getAttribute('title')).toBe('Carol')

  wire.heal()
  await until(async () => (await userOf(page).catch(() => '')) === 'Carol', 'the notes are Carol’s')
  await isSynced(page)
  await until(async () => Object.keys(await readNotes(page)).length === 2, 'all notes are there')
  await addNote(page, 'Written as Carol', 'c')
  await isSynced(page)

  // Connected, with nothing on its way, it takes no time.
  await takeName(page, 'Dora')
  await until(async () => (await userOf(page).catch(() => '')) === 'Dora', 'the notes are Dora’s')
  await until(async () => Object.keys(await readNotes(page)).length === 3, 'all notes are there')
  expect(profile.complaints).toEqual([])
})

async function markedNotes(page: Page): Promise<readonly string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('a[data-note-id]')]
      .filter(item => item.querySelector('[data-testid="note-pending"]') !== null)
      .map(item => item.dataset['noteId'] ?? ''),
  )
}

async function userOf(page: Page): Promise<string> {
  let user = ''
  await until(async () => {
    user = await page.evaluate(() => window.replica?.status.get().user ?? '')
    return user !== ''
  }, 'the replica is somebody’s')
  return user
}

async function takeName(page: Page, name: string): Promise<void> {
  await page.getByTestId('person').click()
  await page.getByTestId('person-name').fill(name)
  await page.keyboard.press('Enter')
}

/** Keeps every write of the journal waiting behind a transaction that does not end. Returns how to end it. */
async function holdDisk(page: Page): Promise<() => Promise<void>> {
  await page.evaluate(async () => {
    const names = (await indexedDB.databases()).map(({ name }) => name ?? '')
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const opening = indexedDB.open(names.find(name => name.startsWith('rejoin/')) ?? '')
      opening.onsuccess = () => resolve(opening.result)
      opening.onerror = () => reject(new Error('the database does not open'))
    })
    const held = { isHeld: true }
    Object.assign(window, { held })
    const store = database.transaction('journal', 'readwrite').objectStore('journal')
    const again = (): void => {
      const count = store.count()
      count.onsuccess = () => {
        if (held.isHeld) again()
        else database.close()
      }
    }
    again()
  })
  return () =>
    page.evaluate(() => void Object.assign(Reflect.get(window, 'held') as object, { isHeld: false }))
}
