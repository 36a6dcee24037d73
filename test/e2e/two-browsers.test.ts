// Two people, each with a browser of their own, a wire of their own, and one relay: they edit one note while nothing
// connects them, load the page again, the relay is killed meanwhile, and then everything meets.
import { openTcpProxy, type TcpProxy } from '@rejoin/testkit/tcp-proxy'
import type { Page } from 'playwright'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startRelayProcess } from '../chaos/harness/relay-process.ts'
import { until } from '../chaos/harness/until.ts'
import { launchProfile, type Profile } from './harness/browser.ts'
import {
  addNote,
  addTag,
  introduce,
  isCutOff,
  isSynced,
  openNote,
  openNotes,
  paint,
  readNote,
  readNotes,
  reloadNotes,
  retitle,
  says,
  typeInBody,
} from './harness/notes-page.ts'
import { serveNotes, type NotesSite } from './harness/notes-site.ts'
import { photograph, photographNarrow, photographPair } from './harness/picture.ts'

interface Person {
  readonly profile: Profile
  readonly wire: TcpProxy
  readonly page: Page
}

let site: NotesSite
beforeAll(async () => {
  site = await serveNotes()
})
afterAll(() => site.close())

test('[P1, X5, K3, L1] what two browsers wrote apart is all there when they meet, and what asks for a person asks once', {
  timeout: 120_000,
}, async () => {
  const relay = await startRelayProcess()
  onTestFinished(() => relay.close())
  const alice = await sitDown('Alice', relay.port)
  const bob = await sitDown('Bob', relay.port)
  const both = [alice, bob]

  const trip = await addNote(alice.page, 'Trip to the sea', 'We leave on Friday at nine.')
  await addTag(alice.page, 'travel')
  const shopping = await addNote(alice.page, 'Shopping', 'Bread, apples, coffee')
  for (const { page } of both) await isSynced(page)
  await until(async () => Object.keys(await readNotes(bob.page)).length === 2, 'bob sees both notes')
  expect(await readNotes(bob.page)).toEqual(await readNotes(alice.page))

  for (const { wire } of both) wire.cut()
  for (const { page } of both) await isCutOff(page)

  await openNote(alice.page, trip)
  await retitle(alice.page, 'Trip to Brittany')
  await typeInBody(alice.page, 'Alice brings the tent. ', 'start')
  await paint(alice.page, 'amber')
  await addTag(alice.page, 'tent')
  await openNote(alice.page, shopping)
  await alice.page.getByTestId('note-delete').click()

  await openNote(bob.page, trip)
  await retitle(bob.page, 'Trip to Cornwall')
  await typeInBody(bob.page, ' Bob drives.', 'end')
  await paint(bob.page, 'teal')
  await addTag(bob.page, 'car')
  await openNote(bob.page, shopping)
  await typeInBody(bob.page, ', cheese', 'end')

  for (const { profile, page } of both) {
    const before = await readNotes(page)
    await says(page, 'not yet on a relay')
    await photograph(page, `offline-${profile.name}`)
    await reloadNotes(page)
    expect(await readNotes(page), profile.name).toEqual(before)
    await isCutOff(page)
    expect(await page.getByTestId('pending-count').innerText()).not.toBe('0')
  }
  expect(await readNote(alice.page, trip)).toMatchObject({
    id: trip,
    title: 'Trip to Brittany',
    body: 'Alice brings the tent. We leave on Friday at nine.',
    colour: 'amber',
    tags: ['tent', 'travel'],
  })
  expect(await readNote(alice.page, shopping)).toBeUndefined()
  expect(await readNote(bob.page, trip)).toMatchObject({
    id: trip,
    title: 'Trip to Cornwall',
    body: 'We leave on Friday at nine. Bob drives.',
    colour: 'teal',
    tags: ['car', 'travel'],
  })

  await relay.kill()
  await relay.start()
  for (const { wire } of both) wire.heal()
  for (const { page } of both) await isSynced(page)
  await agree(alice.page, bob.page)

  const merged = await readNote(alice.page, trip)
  expect(merged?.body).toBe('Alice brings the tent. We leave on Friday at nine. Bob drives.')
  expect(merged?.colour).toBe('teal')
  expect(merged?.tags).toEqual(['car', 'tent', 'travel'])
  // Bob edited what Alice deleted, neither knowing of the other: it lives.
  expect((await readNote(alice.page, shopping))?.body).toBe('Bread, apples, coffee, cheese')

  for (const { profile, page } of both) {
    await openNote(page, trip)
    await says(page, 'All changes are on the relay')
    expect(await page.getByTestId('conflict-badge').innerText()).toBe('1 note has two titles')
    expect(await page.getByTestId('note-conflict').count()).toBe(1)
    await photograph(page, `conflict-${profile.name}`)
  }
  await bob.page.getByTestId('note-conflict').click()
  await photographPair([alice.page, bob.page], 'conflict')
  await alice.page.getByTestId('conflict-badge').click()
  for (const { profile, page } of both) {
    const sides = page.locator('[data-testid^="conflict-side-"]')
    expect(await sides.count()).toBe(2)
    expect(await sides.nth(0).innerText()).toContain('Trip to Brittany')
    expect(await sides.nth(0).innerText()).toContain('Alice')
    expect(await sides.nth(1).innerText()).toContain('Trip to Cornwall')
    expect(await sides.nth(1).innerText()).toContain('Bob')
    await photograph(page, `dialog-${profile.name}`)
  }
  await photographNarrow(bob.page, 'dialog-phone')

  await bob.page.getByTestId('conflict-side-0').click()
  for (const { page } of both) {
    // The question is gone on both, also where it was just being asked.
    await page.getByTestId('conflict-dialog').waitFor({ state: 'detached' })
    await page.getByTestId('conflict-badge').waitFor({ state: 'detached' })
    await isSynced(page)
  }
  await agree(alice.page, bob.page)
  expect((await readNote(bob.page, trip))?.title).toBe('Trip to Brittany')
  for (const { profile, page } of both) {
    await says(page, 'All changes are on the relay')
    await photograph(page, `settled-${profile.name}`)
  }
  await photographNarrow(alice.page, 'note-phone')

  // Nothing of it stands only in these pages: whoever comes next finds the same.
  const carol = await sitDown('Carol', relay.port)
  await isSynced(carol.page)
  await agree(alice.page, carol.page)
  for (const { wire } of both) expect(wire.cuts).toBeGreaterThan(0)
  for (const { profile } of [...both, carol]) expect(profile.complaints).toEqual([])
})

async function sitDown(name: string, relayPort: number): Promise<Person> {
  const wire = await openTcpProxy(relayPort)
  onTestFinished(() => wire.close())
  const profile = await launchProfile({ name, prepare: context => introduce(context, name) })
  onTestFinished(() => profile.close())
  const page = await openNotes(profile, site.addressOf('team', wire))
  return { profile, wire, page }
}

/** Waits until two tabs hold the same, and says what differs if they never do. */
async function agree(left: Page, right: Page): Promise<void> {
  const read = async (): Promise<readonly string[]> =>
    Promise.all([left, right].map(async page => JSON.stringify(await readNotes(page))))
  let seen: readonly string[] = []
  await until(
    async () => {
      seen = await read()
      return seen[0] === seen[1]
    },
    () => `two browsers agree: ${seen.join(' and ')}`,
  )
}
