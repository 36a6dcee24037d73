/**
 * Clients as Node programs have them: `openReplica` over real sockets, with the store in memory. Each has a database of
 * its own, so that several in one process share nothing but the relay.
 */
import { collection, openReplica, type ClientPorts, type Replica } from '@rejoin/client'
import { ask, counter, lww, set, text } from '@rejoin/resolve'
import * as v from 'valibot'
import { until } from './until.ts'

/** A collection with a field for each strategy. */
export const notes = collection('notes', {
  title: ask(v.string()),
  color: lww(v.string()),
  tags: set(v.string()),
  views: counter(),
  body: text(),
})

export type NodeClient = Replica<{ readonly notes: typeof notes }>

let opened = 0

/** Opens a replica of the space `team`; `user` is its token too. */
export async function openNodeClient(options: {
  readonly url: string
  readonly user: string
  readonly ports?: Partial<ClientPorts>
}): Promise<NodeClient> {
  const { url, user, ports } = options
  opened += 1
  return openReplica({
    space: 'team',
    name: `${user} ${opened}`,
    collections: { notes },
    relays: [url],
    token: () => user,
    device: `${user}’s device`,
    ports,
  })
}

/** A replica that was never here before, once it has everything that the relay has. */
export async function openNewcomer(url: string): Promise<NodeClient> {
  const newcomer = await openNodeClient({ url, user: 'newcomer' })
  try {
    await until(
      () => newcomer.status.get().synced,
      () => `a newcomer is level: ${describe(newcomer)}`,
    )
  } catch (error) {
    await newcomer.close()
    throw error
  }
  return newcomer
}

/** Resolves when nothing of any of them is on its way. */
export async function untilSynced(
  clients: readonly NodeClient[],
  deadlineMs: number = 30_000,
): Promise<void> {
  await until(
    () => clients.every(client => client.status.get().synced),
    () => `all are level: ${clients.map(describe).join(', ')}`,
    deadlineMs,
  )
}

/** Resolves when all of them show the same and nothing is on its way: then each has what any of them wrote. */
export async function untilSame(clients: readonly NodeClient[]): Promise<void> {
  await untilSynced(clients)
  await until(async () => {
    const shown = await Promise.all(
      clients.map(async client => JSON.stringify(sorted(await readAll(client)))),
    )
    return new Set(shown).size === 1
  }, 'all show the same')
}

function sorted(shown: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  return Object.entries(shown).sort(([a], [b]) => (a < b ? -1 : 1))
}

export function describe(client: NodeClient): string {
  return JSON.stringify(client.status.get())
}

/** Everything that a client shows, texts included, in a form that can be compared. */
export async function readAll(client: NodeClient): Promise<Readonly<Record<string, unknown>>> {
  const shown: Record<string, unknown> = {}
  for (const document of client.notes.query().get()) {
    shown[document.id] = { ...document, body: await readBody(client, document.id) }
  }
  return shown
}

export async function readBody(client: NodeClient, id: string): Promise<string> {
  const handle = client.notes.text(id, 'body')
  try {
    await handle.whenReady
    return handle.text.toString()
  } finally {
    handle.close()
  }
}
