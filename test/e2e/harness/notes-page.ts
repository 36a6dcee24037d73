/**
 * What a person does in a tab of the notes app, with keyboard and mouse, and what they see there. What is only to be
 * read, and not done, is asked of `window.replica`, which is what the app shows.
 */
import type { Replica } from '@rejoin/client'
import type { BrowserContext, Page } from 'playwright'
import type { notes } from '@rejoin/notes/src/schema.ts'
import { until } from '../../chaos/harness/until.ts'
import type { Profile } from './browser.ts'

declare global {
  interface Window {
    replica?: Replica<{ notes: typeof notes }>
  }
}

export const colours = ['amber', 'coral', 'rose', 'violet', 'blue', 'teal', 'green'] as const
export type Colour = (typeof colours)[number]

/** A note as a replica holds it. */
export interface SeenNote {
  readonly id: string
  readonly title: string
  readonly body: string
  readonly colour: string
  readonly tags: readonly string[]
  readonly created: number
}

/** Somebody who has told the app their name, which is also what a relay takes them for. */
export async function introduce(context: BrowserContext, name: string): Promise<void> {
  await context.addInitScript(person => {
    // A tab is nowhere before it is somewhere, and has no storage there.
    if (origin === 'null') return
    localStorage.setItem('rejoin-notes:name', person)
    localStorage.setItem('rejoin-notes:name-kept', 'yes')
  }, name)
}

/** Opens the app in a new tab, and resolves when its replica is open. */
export async function openNotes(profile: Profile, address: string): Promise<Page> {
  const page = await profile.open(address)
  await isOpen(page)
  return page
}

/** Loads the page again, as F5 does. */
export async function reloadNotes(page: Page): Promise<void> {
  await page.reload()
  await isOpen(page)
}

async function isOpen(page: Page): Promise<void> {
  // On a narrow window the list is there, and hidden, while a note is open.
  await page.getByTestId('new-note').waitFor({ state: 'attached' })
  await page.waitForFunction(() => window.replica !== undefined)
}

/** Adds a note by its button, and resolves with its id when it is open. */
export async function addNote(page: Page, title: string, body: string): Promise<string> {
  const before = page.url()
  await page.getByTestId('new-note').click()
  await page.waitForURL(url => url.href !== before)
  const id = decodeURIComponent(new URL(page.url()).hash.replace('#/note/', ''))
  await page.getByTestId('note-body').waitFor()
  await page.getByTestId('note-title').click()
  await page.keyboard.type(title)
  // Enter leads from the title to the body.
  await page.keyboard.press('Enter')
  await page.keyboard.type(body)
  return id
}

export async function openNote(page: Page, id: string): Promise<void> {
  await page.locator(`a[data-note-id="${id}"]`).click()
  await page.getByTestId('note-body').waitFor()
}

export async function retitle(page: Page, title: string): Promise<void> {
  await page.getByTestId('note-title').click()
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.type(title)
  await page.keyboard.press('Enter')
}

export async function typeInBody(page: Page, text: string, place: 'start' | 'end'): Promise<void> {
  await page.getByTestId('note-body').click()
  await page.keyboard.press(place === 'start' ? 'ControlOrMeta+Home' : 'ControlOrMeta+End')
  await page.keyboard.type(text)
}

export async function paint(page: Page, colour: Colour): Promise<void> {
  await page.getByTestId(`note-colour-${colour}`).click()
}

export async function addTag(page: Page, tag: string): Promise<void> {
  await page.getByTestId('tag-input').click()
  await page.keyboard.type(tag)
  await page.keyboard.press('Enter')
}

/** Every note that the replica of this tab holds, by its id. */
export async function readNotes(page: Page): Promise<Readonly<Record<string, SeenNote>>> {
  const notes = await page.evaluate(async () => {
    const { replica } = window
    if (replica === undefined) throw new Error('there is no replica')
    const rows = replica.notes.query().get()
    return Promise.all(
      rows.map(async ({ id, title, colour, tags, created }) => {
        const handle = replica.notes.text(id, 'body')
        await handle.whenReady
        const body = String(handle.text)
        handle.close()
        return { id, title, body, colour, tags: [...tags], created }
      }),
    )
  })
  return Object.fromEntries(notes.map(note => [note.id, note]))
}

export async function readNote(page: Page, id: string): Promise<SeenNote | undefined> {
  return (await readNotes(page))[id]
}

export async function isSynced(page: Page, deadlineMs?: number): Promise<void> {
  await until(
    () => page.evaluate(() => window.replica?.status.get().synced === true),
    `${await page.title()} is level with the relay`,
    deadlineMs,
  )
}

/** After a wire was cut for long: the next try may be half a minute away, and nobody is to hurry it. */
export const reconnectMs = 45_000

/** Waits until the status says this, in the words that people read. */
export async function says(page: Page, words: string, deadlineMs?: number): Promise<void> {
  await until(
    async () => (await page.getByTestId('status').innerText()).includes(words),
    `the status says ${words}`,
    deadlineMs,
  )
}

export async function isCutOff(page: Page): Promise<void> {
  await until(
    () =>
      page.evaluate(() => {
        const connection = window.replica?.status.get().connection
        return connection === 'offline' || connection === 'connecting'
      }),
    `${await page.title()} is cut off`,
  )
}
