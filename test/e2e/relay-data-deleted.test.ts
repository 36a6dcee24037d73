// Somebody deletes the data of a relay: it never says yes to what no disk keeps, and gets back from its clients all
// that it had, deletions too.
import { dirname } from 'node:path'
import { rmSync } from 'node:fs'
import type { ReplicaEvents } from '@rejoin/client'
import { openTcpProxy, type TcpProxy } from '@rejoin/testkit/tcp-proxy'
import type { Page } from 'playwright'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startRelayProcess, type RelayProcess } from '../chaos/harness/relay-process.ts'
import { readStored } from '../chaos/harness/stored.ts'
import { until } from '../chaos/harness/until.ts'
import { launchProfile, type Profile } from './harness/browser.ts'
import { introduce, isCutOff, isSynced, openNotes, readNotes } from './harness/notes-page.ts'
import { serveNotes, type NotesSite } from './harness/notes-site.ts'

declare global {
  interface Window {
    repairs?: ReplicaEvents['repaired'][]
  }
}

interface Person {
  readonly page: Page
  readonly wire: TcpProxy
  readonly profile: Profile
}

let site: NotesSite
beforeAll(async () => {
  site = await serveNotes()
})
afterAll(() => site.close())

const ways: readonly (readonly [string, (relay: RelayProcess, alice: Page) => Promise<void>])[] = [
  [
    'while it was stopped',
    async (relay, alice) => {
      await relay.stop()
      deleteData(relay)
      await relay.start()
      await alice.evaluate(() => window.replica?.resume())
      await isSynced(alice)
      await insert(alice, 'Written afterwards')
    },
  ],
  [
    'while it ran',
    async (relay, alice) => {
      deleteData(relay)
      await insert(alice, 'Written afterwards')
      // What is acknowledged is on a disk where the next start finds it: this is not.
      expect(await relay.ended()).toBe(1)
      expect(relay.log.find(({ msg }) => msg === 'the store is gone')?.level).toBe(50)
      expect(JSON.stringify(relay.log)).toContain(`${relay.path} was removed or replaced`)
      expect(await alice.evaluate(() => window.replica?.status.get().pending)).toBe(1)
      await relay.start()
      await alice.evaluate(() => window.replica?.resume())
    },
  ],
]

test.each(ways)(
  'all notes come back to a relay whose data was deleted %s, and all are told',
  async (_, lose) => {
    const relay = await startRelayProcess()
    onTestFinished(() => relay.close())
    const alice = await sitDown('Alice', relay)
    const bob = await sitDown('Bob', relay)
    await alice.page.evaluate(async () => {
      const { replica } = window
      if (replica === undefined) throw new Error('there is no replica')
      const notes = Array.from({ length: 520 }, (_, i) =>
        replica.notes.insert({ title: `Note ${i}`, body: i < 3 ? 'long '.repeat(20_000) : `${i}` }),
      )
      await replica.settled()
      for (const { id } of notes.slice(500)) replica.notes.delete(id)
    })
    for (const { page } of [alice, bob]) await isSynced(page)
    await until(async () => (await countNotes(bob.page)) === 500, 'bob has the notes')
    bob.wire.cut()
    await isCutOff(bob.page)
    for (const i of [1, 2, 3, 4, 5]) await insert(bob.page, `From the train ${i}`)
    const told = relay.log.length

    await lose(relay, alice.page)
    await isSynced(alice.page)
    expect(await repairsOf(alice.page)).toEqual([{ isNewStore: true, gave: 520, took: 0, refused: [] }])
    bob.wire.heal()
    await bob.page.evaluate(() => window.replica?.resume())
    await isSynced(bob.page)
    expect(await repairsOf(bob.page)).toEqual([{ isNewStore: true, gave: 0, took: 1, refused: [] }])

    const carol = await sitDown('Carol', relay)
    await isSynced(carol.page)
    expect(await repairsOf(carol.page)).toEqual([])
    const expected = await readNotes(carol.page)
    expect(Object.keys(expected).length).toBe(506)
    expect(Object.values(expected).filter(({ body }) => body.length === 100_000).length).toBe(3)
    for (const { page } of [alice, bob]) {
      await until(async () => (await countNotes(page)) === 506, 'everybody has all notes')
      expect(await readNotes(page)).toEqual(expected)
    }
    // The twenty deletions are there as well.
    expect((await readStored(relay.path, { collection: 'notes', writer: '' })).leftOut).toBe(526)

    const log = relay.log.slice(told)
    expect(log.filter(({ msg }) => msg === 'relay started').map(({ isNew }) => isNew)).toEqual([true])
    const given = log.filter(({ msg }) => msg === 'a client gave back rows')
    expect(given.map(({ user, rows, refused }) => ({ user, rows, refused }))).toEqual([
      { user: 'Alice', rows: 520, refused: 0 },
    ])
    for (const { profile } of [alice, bob, carol]) expect(profile.complaints).toEqual([])
    await carol.profile.stop()
    const came = log.findLast(({ msg }) => msg === 'session opened')?.['session']
    await until(
      () => relay.log.some(({ msg, session }) => msg === 'session closed' && session === came),
      'it is logged that carol came and left',
    )
  },
)

async function sitDown(name: string, relay: RelayProcess): Promise<Person> {
  const wire = await openTcpProxy(relay.port)
  onTestFinished(() => wire.close())
  const profile = await launchProfile({ name, prepare: context => introduce(context, name) })
  onTestFinished(() => profile.close())
  const page = await openNotes(profile, site.addressOf('team', wire))
  await page.evaluate(() => {
    const repairs: ReplicaEvents['repaired'][] = (window.repairs = [])
    window.replica?.on('repaired', repair => repairs.push(repair))
  })
  return { page, wire, profile }
}

/** Adds a note, which is on the disk of this browser when this resolves. */
async function insert(page: Page, title: string): Promise<void> {
  await page.evaluate(text => window.replica?.notes.insert({ title: text }).reached('local'), title)
}

function countNotes(page: Page): Promise<number | undefined> {
  return page.evaluate(() => window.replica?.notes.query().get().length)
}

function repairsOf(page: Page): Promise<ReplicaEvents['repaired'][] | undefined> {
  return page.evaluate(() => window.repairs)
}

function deleteData(relay: RelayProcess): void {
  rmSync(dirname(relay.path), { recursive: true })
}
