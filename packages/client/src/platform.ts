/**
 * The ports of the platform that this code runs on: a browser's page or worker, or Node.
 *
 * Storage, locks and channels belong together. What is in IndexedDB is shared by all tabs, and so are its locks and
 * messages; what is in memory belongs to this process alone, and must not wait for the lock of a tab that it shares
 * nothing with.
 */
import { openBroadcast } from './broadcast.ts'
import { browserPage } from './browser-page.ts'
import { deflating } from './deflating.ts'
import { createLocalMarker } from './journal/local-marker.ts'
import type { Marker } from './journal/loss.ts'
import type { ClientPorts } from './ports.ts'
import { createProcessChannels, createProcessLocks } from './process-tabs.ts'
import { createIndexedDbStorage } from './storage/indexeddb.ts'
import { createMemoryStorage } from './storage/memory.ts'
import { systemRuntime } from './system-runtime.ts'
import { createWebLocks } from './web-locks.ts'
import { connectWebSocket } from './websocket-runtime.ts'

const noMarker: Marker = { read: () => null, write: () => {} }

/** What a replica in memory has in the place of what tabs share: a store, locks and channels that nobody else sees. */
export function createMemoryPorts(): MemoryPorts {
  return {
    openStorage: createMemoryStorage(),
    locks: createProcessLocks(),
    openChannel: createProcessChannels(),
    marker: noMarker,
    persistence: 'memory',
  }
}

export type MemoryPorts = Pick<
  ClientPorts,
  'openStorage' | 'locks' | 'openChannel' | 'marker' | 'persistence'
>

/** One of each for this process, so that a second opening of a replica meets the first. */
export const memoryPorts: MemoryPorts = createMemoryPorts()

/** The ports for a database. */
export function platformPorts(name: string): ClientPorts {
  const shared = { runtime: systemRuntime, connect: deflating(connectWebSocket), page: browserPage }
  if (typeof indexedDB === 'undefined') return { ...shared, ...memoryPorts }
  return {
    ...shared,
    openStorage: createIndexedDbStorage(systemRuntime),
    locks:
      typeof navigator !== 'undefined' && 'locks' in navigator
        ? createWebLocks(navigator.locks)
        : memoryPorts.locks,
    openChannel: typeof BroadcastChannel === 'undefined' ? memoryPorts.openChannel : openBroadcast,
    marker: createLocalMarker(name),
    persistence: 'indexeddb',
  }
}
