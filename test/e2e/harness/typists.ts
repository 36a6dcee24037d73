/**
 * People at Node clients who type into one note without a pause, over a slow and uneven wire each, and a browser that
 * only looks on. Everybody types a letter of their own, so that a count says whose letters are missing.
 */
import { openReplica, type Replica, type TextHandle } from '@rejoin/client'
import { notes } from '@rejoin/notes/src/schema.ts'
import { openTcpProxy, type TcpProxy } from '@rejoin/testkit/tcp-proxy'
import { onTestFinished } from 'vitest'
import type { Doc, Text } from 'yjs'
import type { RelayProcess } from '../../chaos/harness/relay-process.ts'
import { launchProfile } from './browser.ts'
import { openNote, openNotes } from './notes-page.ts'
import type { NotesSite } from './notes-site.ts'

export interface Typist {
  readonly letter: string
  readonly replica: Replica<{ readonly notes: typeof notes }>
  readonly wire: TcpProxy
}

export interface Hands {
  /** When each letter was typed. */
  readonly typedAt: readonly number[]
  /** Of each write of a field when it was made, and how long it took to a relay's disk. */
  readonly acknowledged: readonly { readonly at: number; readonly ms: number }[]
  stop(): void
}

export interface Onlooker {
  readonly complaints: readonly string[]
  /** How often each letter stands in the note. */
  count(): Promise<Readonly<Record<string, number>>>
  read(): Promise<string>
}

/** The note that all of them have open. */
export const togetherId = 'together'
export const fieldEveryMs = 50
const letterEveryMs = 100
const [latencyMs, jitterMs] = [150, 100]

export async function seatTypist(letter: string, relay: RelayProcess): Promise<Typist> {
  const wire = await openWire(relay)
  const replica = await openReplica({
    space: 'team',
    account: `${letter} ${relay.port}`,
    collections: { notes },
    relays: [`ws://127.0.0.1:${wire.port}/v1/sync`],
    token: () => letter,
  })
  onTestFinished(() => replica.close())
  return { letter, replica, wire }
}

export async function beginTyping({ letter, replica }: Typist): Promise<Hands> {
  const body = replica.notes.text(togetherId, 'body') as TextHandle<Text, Doc>
  await body.whenReady
  const typedAt: number[] = []
  const acknowledged: { readonly at: number; readonly ms: number }[] = []
  const timers = [
    setInterval(() => {
      body.text.insert(body.text.length, letter)
      typedAt.push(performance.now())
    }, letterEveryMs),
    setInterval(() => {
      const at = performance.now()
      void replica.notes
        .update(togetherId, { created: at })
        .reached('relay')
        .then(() => acknowledged.push({ at, ms: performance.now() - at }))
    }, fieldEveryMs),
  ]
  const stop = (): void => timers.forEach(clearInterval)
  onTestFinished(stop)
  return { typedAt, acknowledged, stop: () => (stop(), body.close()) }
}

export async function bodyOf({ replica }: Typist): Promise<string> {
  const handle = replica.notes.text(togetherId, 'body')
  await handle.whenReady
  const body = String(handle.text)
  handle.close()
  return body
}

/** Opens the note on a screen and touches nothing. */
export async function lookOn(site: NotesSite, relay: RelayProcess): Promise<Onlooker> {
  const profile = await launchProfile({ name: 'onlooker' })
  onTestFinished(() => profile.close())
  const page = await openNotes(profile, site.addressOf('team', await openWire(relay)))
  await openNote(page, togetherId)
  const body = await page.evaluateHandle(async id => {
    const { replica } = window
    if (replica === undefined) throw new Error('there is no replica')
    const handle = replica.notes.text(id, 'body')
    await handle.whenReady
    return handle
  }, togetherId)
  const read = (): Promise<string> => body.evaluate(({ text }) => String(text))
  return {
    complaints: profile.complaints,
    read,
    async count() {
      const counts: Record<string, number> = {}
      for (const letter of await read()) counts[letter] = (counts[letter] ?? 0) + 1
      return counts
    },
  }
}

async function openWire({ port }: RelayProcess): Promise<TcpProxy> {
  const wire = await openTcpProxy(port)
  wire.delay(latencyMs, jitterMs)
  onTestFinished(() => wire.close())
  return wire
}
