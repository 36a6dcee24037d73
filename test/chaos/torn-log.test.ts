// A browser that is killed in the wrong instant leaves a torn record at the end of LevelDB's log. Chromium reads past
// it once, appends behind it, and at the start after that takes it for damage and drops every database of the origin.
import type { Page } from 'playwright'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { launchProfile, type Profile } from '../e2e/harness/browser.ts'
import { storeBytes, tearNewestLog } from '../e2e/harness/leveldb.ts'
import { openNotes, readNotes, reloadNotes } from '../e2e/harness/notes-page.ts'
import { serveNotes, type NotesSite } from '../e2e/harness/notes-site.ts'
import { soak } from '../soak.ts'

let site: NotesSite
beforeAll(async () => {
  site = await serveNotes()
})
afterAll(() => site.close())

/** No relay listens there: everything is on this device alone. */
const nowhere = { port: 9 }
const ends = ['stop', 'kill'] as const
const rounds = soak(20, 2)

test.each(ends)(
  'without a countermeasure a database in this Chromium is lost, whether it ends by %s: the loss is real',
  async end => {
    const alice = await launch()
    const address = site.addressOf('bare', nowhere).replace('?', 'manifest.webmanifest?')
    await writeBare(await alice.open(address), ['before the kill'])
    await alice.kill()
    tearNewestLog(alice.folder)
    await alice.start()
    const page = await alice.open(address)
    // Nothing seems to be wrong yet, which is why nobody would think of doing something.
    expect(await readBare(page)).toEqual(['before the kill'])
    await writeBare(page, ['after the kill'])
    expect(await readBare(page)).toEqual(['before the kill', 'after the kill'])
    await alice[end]()
    await alice.start()
    expect(await readBare(await alice.open(address))).toEqual([])
  },
)

test.each(ends)(
  '[A2] what was acknowledged behind a torn log is there after the browser ends by %s, and after the next end too',
  { timeout: rounds * 90_000 },
  async end => {
    const alice = await launch()
    const address = site.addressOf('torn', nowhere)
    const written: string[] = []
    const write = async (page: Page, title: string): Promise<void> => {
      written.push(await insert(page, title))
    }
    await write(await openNotes(alice, address), 'before the kill')
    await alice.kill()
    for (let round = 1; round <= rounds; round++) {
      tearNewestLog(alice.folder)
      await alice.start()
      await write(await openNotes(alice, address), `behind torn log ${round}`)
      await alice[end]()
      await alice.start()
      const page = await openNotes(alice, address)
      expect(Object.keys(await readNotes(page)).sort()).toEqual([...written].sort())
      await write(page, `after restart ${round}`)
      await alice.kill()
    }
    expect(alice.complaints).toEqual([])
  },
)

test('[A2] a log that one space left torn takes neither it nor another one that is opened next', async () => {
  const alice = await launch()
  const [one, two] = [site.addressOf('one', nowhere), site.addressOf('two', nowhere)]
  await insert(await openNotes(alice, two), 'in the second space')
  await alice.stop()
  await alice.start()
  await insert(await openNotes(alice, one), 'before the kill')
  await alice.kill()
  tearNewestLog(alice.folder)
  await alice.start()
  await insert(await openNotes(alice, two), 'behind the torn log')
  await alice.stop()
  await alice.start()
  expect(Object.keys(await readNotes(await openNotes(alice, two)))).toHaveLength(2)
  expect(Object.keys(await readNotes(await openNotes(alice, one)))).toHaveLength(1)
  expect(alice.complaints).toEqual([])
})

test('an end in order, of a page or of the browser, costs the next start no scrubbing', async () => {
  const alice = await launch()
  const address = site.addressOf('tidy', nowhere)
  const page = await openNotes(alice, address)
  await insert(page, 'first')
  await reloadNotes(page)
  await insert(page, 'second')
  await alice.stop()
  await alice.start()
  await insert(await openNotes(alice, address), 'third')
  expect(storeBytes(alice.folder)).toBeLessThan(1_000_000)
  await alice.kill()
  await alice.start()
  await insert(await openNotes(alice, address), 'fourth')
  expect(storeBytes(alice.folder)).toBeGreaterThan(1_000_000)
})

async function launch(): Promise<Profile> {
  const profile = await launchProfile({ name: 'alice' })
  onTestFinished(() => profile.close())
  return profile
}

/** Inserts a note and waits until it is on the disk. */
function insert(page: Page, title: string): Promise<string> {
  return page.evaluate(async text => {
    const { replica } = window
    if (replica === undefined) throw new Error('there is no replica')
    const write = replica.notes.insert({ title: text })
    await write.reached('local')
    return write.id
  }, title)
}

/** Stores values with nothing but what the browser has, one strict transaction each. */
function writeBare(page: Page, values: readonly string[]): Promise<void> {
  return page.evaluate(async texts => {
    for (const text of texts) {
      await new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('bare', 1)
        opening.onupgradeneeded = () => opening.result.createObjectStore('texts', { autoIncrement: true })
        opening.onerror = () => reject(opening.error)
        opening.onsuccess = () => {
          const database = opening.result
          const transaction = database.transaction('texts', 'readwrite', { durability: 'strict' })
          transaction.objectStore('texts').add(text)
          transaction.onabort = () => reject(transaction.error)
          transaction.oncomplete = () => {
            database.close()
            resolve()
          }
        }
      })
    }
  }, values)
}

/** What a bare database holds, in order; an opening that fails is tried once more, as the product does. */
function readBare(page: Page): Promise<readonly unknown[]> {
  return page.evaluate(async () => {
    const read = (): Promise<unknown[]> =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open('bare', 1)
        opening.onupgradeneeded = () => opening.result.createObjectStore('texts', { autoIncrement: true })
        opening.onerror = () => reject(opening.error)
        opening.onsuccess = () => {
          const database = opening.result
          const found = database.transaction('texts').objectStore('texts').getAll()
          found.onerror = () => reject(found.error)
          found.onsuccess = () => {
            database.close()
            resolve(found.result)
          }
        }
      })
    return read().catch(read)
  })
}
