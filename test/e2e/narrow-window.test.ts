// A narrow window, a zoomed one, and no window at all but a screen reader: whoever writes while the network has gone
// silent is told, in words, that it is kept on this device and not sent, and how much it is.
import type { Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../chaos/harness/until.ts'
import {
  addNote,
  isSynced,
  openNotes,
  readNote,
  reconnectMs,
  reloadNotes,
  retitle,
  typeInBody,
} from './harness/notes-page.ts'
import { serveNotes, type NotesSite } from './harness/notes-site.ts'
import { photograph } from './harness/picture.ts'
import { openPlace } from './harness/place.ts'

let site: NotesSite
beforeAll(async () => {
  site = await serveNotes()
})
afterAll(() => site.close())

const phone = { width: 360, height: 640 }
/** By zooming, a window of so many points on the glass has room for a part of them. */
const settings = [
  { name: 'phone', ...phone, zoom: 1 },
  { name: 'phone-zoomed', ...phone, zoom: 2 },
  { name: 'desktop-zoomed', width: 1180, height: 760, zoom: 2 },
] as const
/** From the first letter that nobody takes. */
const toldMsMax = 15_000
const unsent = /\b\d+ changes? on this device, not yet on a relay/
const typed = 'It is raining, and the train stands in a field. '.repeat(5).slice(0, 200)

test('[W1, A2] on a narrow window, zoomed, and to a screen reader, words say what is kept on this device and not sent', {
  timeout: 150_000,
}, async () => {
  const { wire, relay, address, launch } = await openPlace(site)
  // Of a server that does not answer, Chromium says so on its console.
  const expected = [/Failed to load resource: net::ERR_/]
  const alice = await launch('Alice', { viewport: phone, expected })
  let page = await openNotes(alice, address)
  const dialogs: string[] = []
  const listen = (): void => void page.on('dialog', dialog => dialogs.push(dialog.type()))
  listen()
  const id = await addNote(page, 'On the train', '')
  await isSynced(page)
  await isKept(page)

  wire.blackHole()
  const silentAt = performance.now()
  await typeInBody(page, typed, 'end')
  await until(() => tells(page, unsent), 'the words say what is not sent')
  await until(async () => !(await tells(page, /Connected/)), 'the words do not claim a connection')
  expect(performance.now() - silentAt).toBeLessThanOrEqual(toldMsMax)
  for (const setting of settings) await isTold(page, setting)
  await look(page, phone, 1)
  await retitle(page, 'Still on the train')
  const before = await countUnsent(page)
  expect(before).toBeGreaterThan(1)

  // Nothing is lost by leaving, so nobody is asked whether they want to leave.
  await site.stop()
  await reloadNotes(page)
  await keeps(page, id)
  expect(await countUnsent(page)).toBe(before)
  await isTold(page, settings[0])
  await page.close({ runBeforeUnload: true })
  page = await openNotes(alice, address)
  listen()
  await keeps(page, id)
  expect(await countUnsent(page)).toBe(before)
  await isTold(page, settings[0])
  expect(dialogs).toEqual([])

  wire.heal()
  await isSynced(page, reconnectMs)
  await until(() => tells(page, /All changes are on the relay/), 'the words say that it is sent')
  expect(await tells(page, unsent)).toBe(false)
  await photograph(page, 'narrow-settled')
  await site.start()
  const bob = await launch('Bob')
  const other = await openNotes(bob, site.addressOf('team', relay))
  await isSynced(other)
  await keeps(other, id)
  expect([...alice.complaints, ...bob.complaints]).toEqual([])
})

/** The app opens on this device without a server. */
async function isKept(page: Page): Promise<void> {
  await until(
    () =>
      page.evaluate(async () => {
        const { active } = await navigator.serviceWorker.ready
        return active?.state === 'activated' && (await caches.match('/')) !== undefined
      }),
    'the app is kept on this device',
  )
}

/** Whether a screen reader can read it. */
async function tells(page: Page, words: RegExp): Promise<boolean> {
  return words.test(await page.locator('body').ariaSnapshot())
}

/** The words are there at a size of the window: to be read by eye, in the list and in a note, and by a screen reader. */
async function isTold(page: Page, setting: (typeof settings)[number]): Promise<void> {
  const { name, width, height, zoom } = setting
  await look(page, { width, height }, zoom)
  for (const view of ['note', 'list'] as const) {
    await show(page, view)
    const words = page.getByTestId('status')
    expect(await words.innerText(), `${name}, ${view}`).toMatch(unsent)
    expect(await isWhole(page), `${name}, ${view}`).toBe(true)
    expect(await tells(page, unsent), `${name}, ${view}`).toBe(true)
    await photograph(page, `narrow-${name}-${view}`)
  }
  await show(page, 'note')
}

/** A window of such a size, zoomed: the page has less room, and each of its points is larger. */
async function look(
  page: Page,
  { width, height }: { readonly width: number; readonly height: number },
  zoom: number,
): Promise<void> {
  await page.setViewportSize({ width: width / zoom, height: height / zoom })
}

async function show(page: Page, view: 'note' | 'list'): Promise<void> {
  const isOpen = (await page.locator('.app').getAttribute('data-view')) === 'note'
  if (isOpen === (view === 'note')) return
  if (view === 'list') await page.getByTestId('back').click()
  else await page.locator('a[data-note-id]').first().click()
  await page.locator(`.app[data-view="${view}"]`).waitFor()
}

/** Whether all of the words can be seen: inside of the window, and behind nothing. */
function isWhole(page: Page): Promise<boolean> {
  return page.getByTestId('status').evaluate(status => {
    const headline = status.firstElementChild
    if (headline === null) return false
    const range = document.createRange()
    range.selectNodeContents(headline)
    return [...range.getClientRects()].every(({ left, top, right, bottom, width, height }) => {
      const isInside = left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight
      const found = document.elementFromPoint(left + width / 2, top + height / 2)
      return isInside && found !== null && status.contains(found)
    })
  })
}

/** How many changes the words count. */
async function countUnsent(page: Page): Promise<number> {
  let count = 0
  await until(async () => {
    count = Number(
      /(\d+) changes? on this device/.exec(await page.getByTestId('status').innerText())?.[1] ?? 0,
    )
    return count > 0
  }, 'the words count changes')
  return count
}

async function keeps(page: Page, id: string): Promise<void> {
  expect(await readNote(page, id)).toMatchObject({ title: 'Still on the train', body: typed })
}
