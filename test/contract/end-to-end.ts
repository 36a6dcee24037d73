/** People with replicas, and relays that can be closed and opened again, for tests over real sockets. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collection, openReplica, type ClientPorts, type OpenOptions, type Replica } from '@rejoin/client'
import { createMemoryDisk, createRelay, nodeRuntime, sqlite, type RelayOptions } from '@rejoin/relay'
import { ask, counter, lww, set, text } from '@rejoin/resolve'
import { onTestFinished } from 'vitest'
import * as v from 'valibot'

export const notes = collection('notes', {
  title: ask(v.string()),
  body: text(),
  color: lww(v.string()),
  tags: set(v.string()),
  views: counter(),
})

export type Notes = Replica<{ notes: typeof notes }>

export interface TestRelay {
  readonly url: string
  /** Ends it; what it stored stays. */
  stop(): Promise<void>
  /** Begins it again, at the same place. */
  start(options?: Partial<RelayOptions>): Promise<void>
  /** What it stored is gone, as after a restore from nothing. */
  lose(): void
}

export type RelayKind = 'memory' | 'sqlite'

export async function openRelay(kind: RelayKind, options: Partial<RelayOptions> = {}): Promise<TestRelay> {
  let disk = createMemoryDisk(nodeRuntime.randomBytes)
  let folder = createFolder()
  let running: ReturnType<typeof createRelay> | null = null
  let port = 0
  let url = ''
  async function start(changed: Partial<RelayOptions> = {}): Promise<void> {
    const store = kind === 'memory' ? disk.open : sqlite(join(folder, 'rejoin.db'))
    running = createRelay({ development: true, store, limits: { retryAfterMs: 200 }, ...options, ...changed })
    const address = await running.listen({ port })
    ;({ port, url } = address)
  }
  async function stop(): Promise<void> {
    await running?.close()
    running = null
  }
  await start()
  onTestFinished(stop)
  return {
    get url() {
      return url
    },
    start,
    stop,
    lose() {
      disk = createMemoryDisk(nodeRuntime.randomBytes)
      folder = createFolder()
    },
  }
}

export function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rejoin-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface Opening {
  readonly relays?: readonly string[]
  /** Names the database; each opening has its own unless it is given. */
  readonly database?: string
  readonly ports?: Partial<ClientPorts>
  readonly token?: OpenOptions<{ notes: typeof notes }>['token']
}

let count = 0

export async function openNotes(name: string, relay: TestRelay, opening: Opening = {}): Promise<Notes> {
  const replica = await openReplica({
    space: 'team',
    name: opening.database ?? `${name} ${++count}`,
    collections: { notes },
    relays: opening.relays ?? [relay.url],
    token: opening.token ?? (() => name),
    device: `${name}'s laptop`,
    ports: opening.ports,
  })
  onTestFinished(() => replica.close())
  return replica
}

/** What a replica shows of its notes, without texts. */
export function contentOf(replica: Notes): unknown {
  return replica.notes
    .query({ orderBy: 'color' })
    .get()
    .map(({ id, title, color, tags, views }) => ({ id, title, color, tags: [...tags].sort(), views }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}
