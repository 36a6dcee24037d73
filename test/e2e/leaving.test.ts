// Somebody types and is gone at once: what was on the screen is on the disk, however the page went away.
import { expect, onTestFinished, test } from 'vitest'
import { closeTab, launchProfile } from './harness/browser.ts'
import { addNote, openNotes, readNote, typeInBody } from './harness/notes-page.ts'
import { serveNotes } from './harness/notes-site.ts'

/** No relay listens there: only this device can have it. */
const nowhere = { port: 9 }

test('[W1] every letter is there after a page that was left in the middle of typing: loaded again, closed, or closed with its browser', async () => {
  const site = await serveNotes()
  onTestFinished(() => site.close())
  const alice = await launchProfile({ name: 'alice' })
  onTestFinished(() => alice.close())
  const address = site.addressOf('leaving', nowhere)
  let page = await openNotes(alice, address)
  const id = await addNote(page, 'Title', 'Body')
  const here = page.url()
  let title = 'Title'
  let body = 'Body'

  const ways: readonly (() => Promise<unknown>)[] = [
    () => page.reload(),
    () => page.goto('about:blank'),
    async () => {
      // Without any tab the browser would end too.
      await alice.context.newPage()
      await closeTab(page)
    },
    () => alice.stop().then(alice.start),
  ]
  for (const round of [1, 2, 3]) {
    for (const [way, leave] of ways.entries()) {
      for (const field of ['body', 'title']) {
        const text = ` and ${field} ${round}.${way}, typed without a pause`
        if (field === 'body') {
          await typeInBody(page, text, 'end')
          body += text
        } else {
          // A title is written when typing rests, and here it does not.
          title = `Title ${round}.${way}`
          await page.getByTestId('note-title').click()
          await page.keyboard.press('ControlOrMeta+A')
          await page.keyboard.type(title)
        }
        await leave()
        if (page.isClosed() || page.url() !== here) page = await openNotes(alice, here)
        else await page.getByTestId('note-body').waitFor()
        expect(await readNote(page, id), `way ${way} of the ${field}`).toMatchObject({ title, body })
      }
    }
  }
  expect(alice.complaints).toEqual([])
})
