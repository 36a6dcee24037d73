/** Journals over each of the stores that a client has, and tabs that crash or stall at a step of compaction. */
import 'fake-indexeddb/auto'
import { createIndexedDbStorage, createMemoryStorage, journalStores, journalVersion } from '@rejoin/client'
import type { CompactionStep } from '@rejoin/client'
import { type OpenStorage, type Storage } from '@rejoin/core'
import { describe } from 'vitest'
import {
  acknowledged,
  createReplica,
  key,
  markAt,
  own,
  pulled,
  rowWith,
  runtime,
  type Replica,
  type Tab,
} from './journal-tabs.ts'

export const isHello = (message: unknown): boolean =>
  typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'hello'

export const steps: readonly CompactionStep[] = [
  'read',
  'page',
  'pages',
  'texts',
  'snapshot',
  'floor',
  'deleted',
]
const stores: readonly (readonly [string, OpenStorage])[] = [
  ['memory', createMemoryStorage()],
  ['IndexedDB', createIndexedDbStorage(runtime)],
]

/** Tests over both stores, each of a replica that nobody has opened yet. */
export function overStores(
  tests: (fresh: () => FreshReplica, engine: string, open: OpenStorage) => void,
): void {
  describe.each(stores)('over %s', (engine, open) => {
    let made = 0
    tests(
      () => {
        made += 1
        const name = `${engine} ${made}`
        return {
          name,
          ...createReplica(open, runtime, name),
          storage: () => open(name, journalVersion, journalStores),
        }
      },
      engine,
      open,
    )
  })
}

export type FreshReplica = Replica & { readonly name: string; readonly storage: () => Promise<Storage> }

export async function keysIn(
  replica: { readonly storage: () => Promise<Storage> },
  store: string,
): Promise<readonly unknown[]> {
  const storage = await replica.storage()
  const [keys] = await storage.transact({
    stores: [store],
    mode: 'readonly',
    requests: [{ op: 'getAllKeys', store }],
  })
  storage.close()
  return keys as readonly unknown[]
}

export async function floorOf(replica: { readonly storage: () => Promise<Storage> }): Promise<number> {
  const storage = await replica.storage()
  const [base] = await storage.transact({
    stores: ['meta'],
    mode: 'readonly',
    requests: [{ op: 'get', store: 'meta', key: 'base' }],
  })
  storage.close()
  return (base as { readonly floor: number }).floor
}

export function tabAt(tabs: readonly Tab[], i: number): Tab {
  const tab = tabs[i % tabs.length]
  if (tab === undefined) throw new Error('no tab')
  return tab
}

/** Pulled rows, one chunk each, with some own writes of which half are acknowledged. */
export async function fill(replica: Replica, tab: Tab, chunks: number): Promise<void> {
  for (let i = 0; i < chunks; i++) {
    const serial = tab.journal.seen + 1
    const rows = [[key(serial % 50), rowWith(`v${serial}`, markAt(serial))]] as const
    if (i % 5 === 1) await replica.append(tab, { kind: 'own', transactions: [own(serial, rows)] })
    else if (i % 10 === 2) await replica.append(tab, acknowledged([own(serial - 1, []).id]))
    else await replica.append(tab, pulled(rows, { cut: serial }))
  }
}

export function crashAfter(at: CompactionStep): (step: CompactionStep) => Promise<void> {
  return async step => {
    if (step === at) throw new Error('crashed')
  }
}

export function stallAfter(at: CompactionStep) {
  let goOn = (): void => {}
  let isReached = (): void => {}
  const reached = new Promise<void>(resolve => (isReached = resolve))
  const gate = new Promise<void>(resolve => (goOn = resolve))
  return {
    reached,
    goOn: () => goOn(),
    async step(step: CompactionStep) {
      if (step !== at) return
      isReached()
      await gate
    },
  }
}
