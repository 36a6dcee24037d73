// Somebody's first program awaits what it writes, and there is no network: it goes on, it is told how far its writes
// have come, and they arrive once there is one.
import { openTcpProxy, type TcpProxy } from '@rejoin/testkit/tcp-proxy'
import type { Page } from 'playwright'
import { expect, onTestFinished, test } from 'vitest'
import { startRelayProcess } from '../chaos/harness/relay-process.ts'
import { until } from '../chaos/harness/until.ts'
import { closeTab, launchProfile, type Profile } from './harness/browser.ts'
import { isCutOff, isSynced, openNotes, readNotes } from './harness/notes-page.ts'
import { serveNotes } from './harness/notes-site.ts'

test('[W1, A2] awaiting writes without a network never stands still, also when the tab is closed meanwhile', async () => {
  const site = await serveNotes()
  onTestFinished(() => site.close())
  const relay = await startRelayProcess()
  onTestFinished(() => relay.close())
  const sitDown = async (name: string): Promise<{ profile: Profile; wire: TcpProxy; address: string }> => {
    const wire = await openTcpProxy(relay.port)
    onTestFinished(() => wire.close())
    const profile = await launchProfile({ name })
    onTestFinished(() => profile.close())
    return { profile, wire, address: site.addressOf('team', wire) }
  }
  const alice = await sitDown('Alice')
  const page = await openNotes(alice.profile, alice.address)
  await isSynced(page)
  alice.wire.cut()
  await isCutOff(page)

  const began = performance.now()
  expect(await page.evaluate(firstProgram)).toEqual([
    'shown: Written offline',
    'on this device',
    'ack-timeout, reached local',
    'still shown: Written offline',
    'updated',
    'transacted',
    'not settled',
    'ack-unavailable',
  ])
  expect(performance.now() - began).toBeLessThan(8000)

  // A tab is closed in the midst of it.
  await beginToWait(page)
  await alice.profile.context.newPage()
  await closeTab(page)
  const again = await openNotes(alice.profile, alice.address)
  await isCutOff(again)
  const written = await readNotes(again)
  expect(titlesOf(written)).toEqual(['Awaited', 'In a transaction', 'Written offline'])
  expect(Object.values(written).find(({ title }) => title === 'Written offline')?.colour).toBe('teal')
  alice.wire.heal()
  await isSynced(again)

  const bob = await sitDown('Bob')
  const other = await openNotes(bob.profile, bob.address)
  await until(async () => titlesOf(await readNotes(other)).length === 3, 'bob has all that was written')
  expect(await readNotes(other)).toEqual(written)
  expect(await again.evaluate(() => window.replica?.quarantine.get())).toEqual([])
  expect([...alice.profile.complaints, ...bob.profile.complaints]).toEqual([])
})

/** Runs in the page. Says what it has come to, line by line. */
async function firstProgram(): Promise<readonly string[]> {
  const { replica } = window
  if (replica === undefined) throw new Error('there is no replica')
  const lines: string[] = []
  const codeOf = (error: unknown): string => {
    const { code, details } = error as { code?: string; details?: { reached?: string } }
    return details?.reached === undefined ? `${code}` : `${code}, reached ${details.reached}`
  }
  const note = replica.notes.insert({ title: 'Written offline' })
  lines.push(`shown: ${replica.notes.get(note.id)?.title}`)
  await note.reached('local')
  lines.push('on this device')
  await note.reached('relay', { timeoutMs: 3000 }).catch(error => lines.push(codeOf(error)))
  lines.push(`still shown: ${replica.notes.get(note.id)?.title}`)
  // These are no promises; who takes them for some does not wait for anything.
  await replica.notes.update(note.id, { colour: 'teal' })
  lines.push('updated')
  await replica.transact(tx => tx.notes.insert({ title: 'In a transaction' }).id)
  lines.push('transacted')
  const aSecond = new Promise<string>(resolve => setTimeout(resolve, 1000, 'not settled'))
  lines.push(await Promise.race([replica.settled().then(() => 'settled'), aSecond]))
  await note.reached('quorum').catch(error => lines.push(codeOf(error)))
  return lines
}

/** Waits for what cannot come, in every way there is, until the page is gone. */
function beginToWait(page: Page): Promise<void> {
  return page.evaluate(() => {
    const { replica } = window
    if (replica === undefined) throw new Error('there is no replica')
    const wait = async (): Promise<void> => {
      const note = replica.notes.insert({ title: 'Awaited' })
      await Promise.all([
        note.reached('relay'),
        note.reached('relay', { timeoutMs: 60_000 }),
        replica.settled(),
      ])
    }
    void wait()
  })
}

function titlesOf(notes: Readonly<Record<string, { readonly title: string }>>): readonly string[] {
  return Object.values(notes)
    .map(({ title }) => title)
    .sort()
}
