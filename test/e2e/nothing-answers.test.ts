// A browser that starts where nothing answers, neither the app's server nor a relay: the app and its notes are there.
import { expect, onTestFinished, test } from 'vitest'
import { startRelayProcess } from '../chaos/harness/relay-process.ts'
import { until } from '../chaos/harness/until.ts'
import { launchProfile } from './harness/browser.ts'
import {
  addNote,
  isCutOff,
  isSynced,
  openNote,
  openNotes,
  readNote,
  reloadNotes,
  typeInBody,
} from './harness/notes-page.ts'
import { serveNotes } from './harness/notes-site.ts'

test('[W1] the app opens with its notes and takes more of them when no server answers, and brings them once one does', async () => {
  const site = await serveNotes()
  onTestFinished(() => site.close())
  const relay = await startRelayProcess()
  onTestFinished(() => relay.close())
  // Of what does not answer, Chromium says so on its console.
  const expected = [/Failed to load resource: net::ERR_/]
  const alice = await launchProfile({ name: 'alice', expected })
  onTestFinished(() => alice.close())
  const address = site.addressOf('team', relay)

  const first = await openNotes(alice, address)
  const id = await addNote(first, 'On the train', 'There is no network')
  await isSynced(first)
  await until(
    () =>
      first.evaluate(async () => {
        const { active } = await navigator.serviceWorker.ready
        return active?.state === 'activated' && (await caches.match('/')) !== undefined
      }),
    'the app is kept on this device',
  )

  await site.stop()
  await relay.stop()
  await alice.kill()
  await alice.start()
  const page = await openNotes(alice, address)
  await isCutOff(page)
  expect(await readNote(page, id)).toMatchObject({ title: 'On the train', body: 'There is no network' })
  await openNote(page, id)
  await typeInBody(page, ', and it does not matter.', 'end')
  await reloadNotes(page)
  const body = 'There is no network, and it does not matter.'
  expect((await readNote(page, id))?.body).toBe(body)

  await relay.start()
  await isSynced(page)
  await site.start()
  const bob = await launchProfile({ name: 'bob' })
  onTestFinished(() => bob.close())
  const other = await openNotes(bob, address)
  await isSynced(other)
  expect((await readNote(other, id))?.body).toBe(body)
  expect([...alice.complaints, ...bob.complaints]).toEqual([])
})
