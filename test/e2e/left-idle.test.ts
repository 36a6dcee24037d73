// Two windows on two notes. One is left to itself, freezes and wakes, while so much is written in the other that the
// store is put in order again and again; what was typed in either of them is there.
import type { Page } from 'playwright'
import type { Text } from 'yjs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until, within } from '../chaos/harness/until.ts'
import { soak } from '../soak.ts'
import { closeTab, type Profile } from './harness/browser.ts'
import { countCompactions } from './harness/compaction-count.ts'
import { freeze, freezeAtRest, stallAtSwap, watchCompactions } from './harness/freeze.ts'
import { addNote, isSynced, openNote, openNotes, readNote, typeInBody } from './harness/notes-page.ts'
import { serveNotes, type NotesSite } from './harness/notes-site.ts'
import { openPlace } from './harness/place.ts'

let site: NotesSite
beforeAll(async () => {
  site = await serveNotes()
})
afterAll(() => site.close())

const edits = soak(1000, 200)
/** Long notes that make a compaction due. */
const fill = 100
/** The tab that has the connection is the one that was opened first. */
const variants = soak(['first', 'second'] as const, ['first'] as const)

test.each(variants)(
  '[P1, W6] what was typed in a window that was left idle and froze, the %s one, is there after the other wrote for long',
  { timeout: soak(240_000, 120_000) },
  async which => {
    const { address, launch } = await openPlace(site)
    const alice = await launch('Alice')
    await watchCompactions(alice.context)
    const tabs = [await openNotes(alice, address), await openNotes(alice, address)] as const
    const [idle, busy] = which === 'first' ? tabs : ([tabs[1], tabs[0]] as const)

    let kept = recordedKeys(100)
    const one = await addNote(idle, 'Left idle', kept)
    const two = await addNote(busy, 'Written in', '')
    await openNote(busy, two)
    await busy.bringToFront()
    let written = ''
    const write = async (count: number, beside: number): Promise<void> => {
      written += await writeMuch(busy, two, { from: written.length, count, beside })
    }

    // Frozen during a compaction of the other.
    const wake = await freezeAtRest(idle, busy)
    await write(edits, fill)
    await untilCompacted(busy, 1)
    await wake()

    // Stalled before its own is valid, while the other goes on.
    const own = await stallAtSwap(idle)
    await write(edits, fill)
    const wakeBusy = await freeze(busy)
    await within(own.reached, 'the idle tab is about to swap')
    await wakeBusy()
    // Little enough that no third compaction is due: a tab that stops in one keeps the others from theirs.
    await write(20, 0)
    const { floor } = await countCompactions(busy)
    await own.thaw()
    await until(async () => (await countCompactions(busy)).floor > floor, 'the idle tab has swapped')

    // It wakes, is typed in and closed, while the other one stalls before its swap.
    const wakeAgain = await freezeAtRest(idle, busy)
    const other = await stallAtSwap(busy)
    await write(edits, fill)
    await within(other.reached, 'the busy tab is about to swap')
    await wakeAgain()
    await typeInBody(idle, '!', 'end')
    kept += '!'
    await isStored(idle)
    await closeTab(idle)
    await other.thaw()
    await untilCompacted(busy, 3)
    await typeInBody(busy, '.', 'end')
    written += '.'
    await isStored(busy)
    await closeTab(busy)

    const fresh = await openNotes(alice, address)
    await isSynced(fresh)
    const bob = await launch('Bob')
    const elsewhere = await openNotes(bob, address)
    await isSynced(elsewhere)
    for (const page of [fresh, elsewhere]) {
      expect((await readNote(page, one))?.body).toBe(kept)
      expect((await readNote(page, two))?.body).toBe(written)
    }
    expect((await countCompactions(fresh)).ever).toBeGreaterThanOrEqual(3)
    expect(complaintsOf(alice, bob)).toEqual([])
  },
)

function recordedKeys(count: number, from: number = 0): string {
  return Array.from({ length: count }, (_, i) => String.fromCharCode(97 + ((from + i) % 26))).join('')
}

/** Types so many letters at the end of a note, each in a task of its own, and so many long notes beside. */
async function writeMuch(
  page: Page,
  id: string,
  { from, count, beside }: { readonly from: number; readonly count: number; readonly beside: number },
): Promise<string> {
  const letters = recordedKeys(count, from)
  await page.evaluate(
    async ([note, keys, many]) => {
      const { replica } = window
      if (replica === undefined) throw new Error('there is no replica')
      const handle = replica.notes.text(note, 'body')
      await handle.whenReady
      const { port1, port2 } = new MessageChannel()
      port1.start()
      const filling = 'Something long that nobody is going to read. '.repeat(300)
      for (const [i, key] of [...keys].entries()) {
        const text = handle.text as Text
        text.insert(text.length, key)
        if (many > 0 && i % Math.ceil(keys.length / many) === 0)
          replica.notes.insert({ title: 'Beside', body: filling })
        const turn = new Promise(resolve => port1.addEventListener('message', resolve, { once: true }))
        port2.postMessage(null)
        await turn
      }
      handle.close()
    },
    [id, letters, beside] as const,
  )
  await isStored(page)
  return letters
}

async function isStored(page: Page): Promise<void> {
  await until(
    () => page.evaluate(() => window.replica?.status.get().unsaved === 0),
    'all of it is on this device',
  )
}

async function untilCompacted(page: Page, times: number): Promise<void> {
  await until(
    async () => (await countCompactions(page)).ever >= times,
    `the store is in order ${times} times`,
  )
}

function complaintsOf(...profiles: readonly Profile[]): readonly string[] {
  return profiles.flatMap(({ complaints }) => complaints)
}
