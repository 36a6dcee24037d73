// A page that is loaded again and again, and nobody edits anything: what is stored, here and on the relay, stays as
// much as it was.
import { statSync } from 'node:fs'
import type { Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readStored } from '../chaos/harness/stored.ts'
import { soak } from '../soak.ts'
import { isCutOff, isSynced, openNotes, reloadNotes } from './harness/notes-page.ts'
import { serveNotes, type NotesSite } from './harness/notes-site.ts'
import { measureOrigin, type OriginSize } from './harness/origin-storage.ts'
import { openPlace } from './harness/place.ts'

let site: NotesSite
beforeAll(async () => {
  site = await serveNotes()
})
afterAll(() => site.close())

const reloads = soak(200, 15)
const grownBytesMax = 64 * 1024
/** As much as a page leaves behind that went away in the middle of something, and so little that none can do it. */
const slopeBytesMax = 100 + reloads
const everything = { collection: '', writer: '' }

test(`[P1, S2] ${reloads} reloads with the relay and ${reloads} without it leave nothing behind`, {
  timeout: soak(1_800_000, 120_000),
}, async () => {
  const { relay, wire, address, launch } = await openPlace(site)
  const alice = await launch('Alice')
  const page = await openNotes(alice, address)
  await fill(page)
  await isSynced(page)
  await reloadNotes(page)
  await isSynced(page)
  const before = await measureOrigin(page)
  const stored = await readStored(relay.path, everything)
  const fileBytes = statSync(relay.path).size

  const measured: OriginSize[] = []
  for (let i = 1; i <= reloads; i++) {
    await reloadNotes(page)
    await openBodies(page)
    await page.evaluate(() => window.replica?.settled())
  }
  await isSynced(page)
  measured.push(await measureOrigin(page))
  expect(await readStored(relay.path, everything)).toEqual(stored)

  wire.cut()
  for (let i = 1; i <= reloads; i++) {
    await reloadNotes(page)
    await openBodies(page)
    await isCutOff(page)
  }
  measured.push(await measureOrigin(page))
  wire.heal()

  for (const [i, { bytes, stores }] of measured.entries()) {
    const grown = bytes - before.bytes
    expect(grown, JSON.stringify({ before: before.stores, stores })).toBeLessThanOrEqual(grownBytesMax)
    const since = bytes - (measured[i - 1] ?? before).bytes
    expect(since, JSON.stringify({ before: before.stores, stores })).toBeLessThanOrEqual(slopeBytesMax)
  }
  await reloadNotes(page)
  await isSynced(page)
  expect(await readStored(relay.path, everything)).toEqual(stored)
  expect(Math.abs(statSync(relay.path).size - fileBytes)).toBeLessThanOrEqual(4096)
  expect(await page.evaluate(() => window.replica?.status.get().pending)).toBe(0)
  expect(alice.complaints).toEqual([])
})

/** A thousand notes, fifty of them with long bodies. */
async function fill(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const sentence = 'What stands here is long enough that nobody wants it stored twice. '
    const write = window.replica?.transact(tx => {
      for (let i = 0; i < 1000; i++) {
        const body = i < 50 ? sentence.repeat(Math.ceil(5000 / sentence.length)) : ''
        tx.notes.insert({ title: `Note ${i}`, body }, { id: `note-${i}` })
      }
    })
    await write?.reached('relay')
  })
}

async function openBodies(page: Page): Promise<void> {
  const lengths = await page.evaluate(async () => {
    const handles = Array.from({ length: 20 }, (_, i) => window.replica?.notes.text(`note-${i}`, 'body'))
    await Promise.all(handles.map(handle => handle?.whenReady))
    const found = handles.map(handle => String(handle?.text ?? '').length)
    for (const handle of handles) handle?.close()
    return found
  })
  expect(Math.min(...lengths)).toBeGreaterThanOrEqual(5000)
}
