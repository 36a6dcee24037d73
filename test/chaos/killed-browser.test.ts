// A browser that is killed in the middle of typing and clicking, again and again: whatever it had reported to be on
// its disk is there when it starts again.
import { createChance, type Chance } from '@rejoin/testkit'
import { openTcpProxy } from '@rejoin/testkit/tcp-proxy'
import { setTimeout as delay } from 'node:timers/promises'
import type { Page } from 'playwright'
import { expect, onTestFinished, test } from 'vitest'
import { launchProfile } from '../e2e/harness/browser.ts'
import {
  addNote,
  addTag,
  colours,
  introduce,
  isSynced,
  openNote,
  openNotes,
  paint,
  readNotes,
  typeInBody,
} from '../e2e/harness/notes-page.ts'
import { serveNotes } from '../e2e/harness/notes-site.ts'
import { soak } from '../soak.ts'
import { startRelayProcess } from './harness/relay-process.ts'
import { createStoredLedger, reportStored, witnessId, type StoredLedger } from './harness/stored-writes.ts'
import { until } from './harness/until.ts'

const kills = soak(200, 20)
const seed = Number(process.env['REJOIN_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

test(`[A2, W2] everything that a browser reported as stored survives ${kills} SIGKILLs of it (seed ${seed})`, {
  timeout: kills * 15_000,
}, async () => {
  const chance = createChance(seed)
  const relay = await startRelayProcess()
  onTestFinished(() => relay.close())
  const wire = await openTcpProxy(relay.port)
  onTestFinished(() => wire.close())
  const site = await serveNotes()
  onTestFinished(() => site.close())
  const address = site.addressOf('team', wire)
  const ledger = createStoredLedger()
  let isTyping = true
  const alice = await launchProfile({
    name: 'alice',
    async prepare(context) {
      // The browser itself brings a name to its disk only after seconds, and who loses it is somebody else.
      await introduce(context, 'Alice')
      if (isTyping) await reportStored(context, ledger.note)
    },
  })
  onTestFinished(() => alice.close())

  let survived = 0
  let typedBefore = 0
  for (let kill = 1; kill <= kills; kill++) {
    // Some die while what they wrote goes to the relay, some while it only gathers.
    if (chance.chance(0.4)) wire.cut()
    const page = await openNotes(alice, address)
    expect(ledger.check(await readNotes(page)), `after kill ${kill - 1}`).toEqual([])
    if (kill > 1) survived += 1
    const hands = beginTyping(page, chance.fork(), ledger)
    await until(
      () => hands.fault !== null || ledger.typed >= typedBefore + 5,
      () => `something that was typed is stored before kill ${kill}`,
    )
    await delay(chance.below(1200))
    hands.letGo()
    await alice.kill()
    await hands.ended
    if (hands.fault !== null) throw hands.fault
    typedBefore = ledger.typed
    wire.heal()
    if (chance.chance(0.25)) await killWhileItOpens()
    isTyping = kill < kills
    await alice.start()
  }

  /** Nothing can be reported then, and nothing may be lost. */
  async function killWhileItOpens(): Promise<void> {
    await alice.start()
    const opening = alice.open(address).catch(() => null)
    await delay(chance.below(600))
    await alice.kill()
    await opening
  }

  const page = await openNotes(alice, address)
  const found = await readNotes(page)
  expect(ledger.check(found), `after kill ${kills}`).toEqual([])
  survived += 1
  await isSynced(page)
  const refused = await page.evaluate(() => JSON.stringify(window.replica?.quarantine.get() ?? []))
  expect(JSON.parse(refused), 'what the relay refused').toEqual([])
  expect(await page.evaluate(() => window.replica?.status.get())).toMatchObject({
    conflicts: 0,
    quarantined: 0,
    persistence: 'indexeddb',
  })
  // What survived on the device comes to others, and nothing of it twice.
  const bob = await launchProfile({ name: 'bob' })
  onTestFinished(() => bob.close())
  const other = await openNotes(bob, address)
  await isSynced(other)
  expect(await readNotes(other)).toEqual(found)
  expect([...alice.complaints, ...bob.complaints]).toEqual([])
  expect(survived).toBe(kills)
  const notes = Object.keys(found).length
  console.log(
    `${survived} of ${kills} (${ledger.told} stored writes, ${ledger.typed} typed letters, ${notes} notes)`,
  )
})

interface Hands {
  /** What went wrong before they were let go. */
  readonly fault: unknown
  /** From now on nothing that fails is a fault. */
  letGo(): void
  readonly ended: Promise<void>
}

/** Somebody who types and clicks without pause, until the page is gone. */
function beginTyping(page: Page, chance: Chance, ledger: StoredLedger): Hands {
  let fault: unknown = null
  let isOver = false
  let open: string | null = null
  let count = 0

  const next = (): string => `${chance.below(1e6)}-${++count}`
  const steps: readonly (() => Promise<void>)[] = [
    () => typeInBody(page, ` some words ${next()}.`, 'end'),
    () => typeInBody(page, `\nA line ${next()}`, 'end'),
    () => addTag(page, `tag ${next()}`),
    async () => {
      const colour = chance.pick(colours)
      if (open !== null) ledger.paint(open, colour)
      await paint(page, colour)
    },
    async () => {
      await page.getByTestId('note-title').click()
      await page.keyboard.press('End')
      await page.keyboard.type(` ${count}`)
      await page.keyboard.press('Enter')
    },
    async () => {
      open = await addNote(page, `note ${next()}`, 'It begins')
    },
    async () => {
      const ids = await listNotes(page)
      if (ids.length === 0) return
      open = chance.pick(ids)
      await openNote(page, open)
    },
    async () => {
      if (chance.chance(0.3)) {
        if (open !== null) ledger.remove(open)
        await page.getByTestId('note-delete').click()
      }
      open = await addNote(page, `instead ${next()}`, '')
    },
    () => insertMany(page, 1 + chance.below(20), next()),
    async () => {
      const tag = `together ${next()}`
      const ids = (await listNotes(page)).slice(0, 3)
      ledger.tagTogether(tag, ids)
      await tagTogether(page, tag, ids)
    },
  ]

  async function run(): Promise<void> {
    try {
      open = await addNote(page, `note ${next()}`, 'Here')
      while (!isOver) await chance.pick(steps)()
    } catch (error) {
      if (!isOver) fault = error
    }
  }

  return {
    get fault() {
      return fault
    },
    letGo() {
      isOver = true
    },
    ended: run(),
  }
}

/** The notes of the list, the witness apart. */
function listNotes(page: Page): Promise<readonly string[]> {
  return page
    .locator('a[data-note-id]')
    .evaluateAll(
      (links, witness) =>
        links.map(link => link.getAttribute('data-note-id') ?? '').filter(id => id !== witness),
      witnessId,
    )
}

function insertMany(page: Page, count: number, name: string): Promise<void> {
  return page.evaluate(
    ([many, title]) => {
      for (let i = 0; i < many; i++) window.replica?.notes.insert({ title: `${title} ${i}`, tags: ['many'] })
    },
    [count, name] as const,
  )
}

function tagTogether(page: Page, tag: string, ids: readonly string[]): Promise<void> {
  return page.evaluate(
    ([added, notes]) => {
      window.replica?.transact(tx => {
        for (const id of notes)
          if (tx.notes.get(id) !== undefined) tx.notes.update(id, { tags: { add: [added] } })
      })
    },
    [tag, ids] as const,
  )
}
