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
  let different: readonly string[] = []
  await until(
    async () => {
      const [first = {}, ...others] = await Promise.all(clients.map(readAll))
      different = others.flatMap((other, i) => differences(first, other, `${i + 1}`))
      return different.length === 0
    },
    () => `all show the same; of ${different.length} differences: ${different.slice(0, 3).join('; ')}`,
    // To read thousands of texts of each takes a while on a busy machine, and the last writes come within it.
    60_000,
  )
}

type Shown = Readonly<Record<string, unknown>>

function differences(first: Shown, other: Shown, name: string): readonly string[] {
  return [...new Set([...Object.keys(first), ...Object.keys(other)])]
    .map(id => [id, JSON.stringify(first[id]), JSON.stringify(other[id])] as const)
    .filter(([, mine, its]) => mine !== its)
    .map(([id, mine, its]) => `${id} at 0 is ${mine?.slice(-300)}, at ${name} ${its?.slice(-300)}`)
}

export function describe(client: NodeClient): string {
  return JSON.stringify(client.status.get())
}

/** Everything that a client shows, texts included, in a form that can be compared. */
export async function readAll(client: NodeClient): Promise<Shown> {
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
