/**
 * Storage in memory: what programs without a disk of a browser use, and unit tests. Everything is done when the call
 * returns and told in a microtask. Openings of one name by one factory share their records, as tabs do.
 */
import {
  assert,
  RejoinError,
  StorageCollision,
  type OpenStorage,
  type Storage,
  type StorageRequest,
} from '@rejoin/core'
import { createMemoryDatabase, type MemoryDatabase } from './memory-database.ts'

export function createMemoryStorage(): OpenStorage {
  const databases = new Map<string, MemoryDatabase>()
  return (name, _version, stores) => {
    let database = databases.get(name)
    if (database === undefined) databases.set(name, (database = createMemoryDatabase([])))
    database.addStores(stores)
    return Promise.resolve(openMemory(name, database))
  }
}

function openMemory(name: string, database: MemoryDatabase): Storage {
  let isOpen = true
  return {
    async transact({ requests, early }) {
      assert(early !== true || mayCommitEarly(requests), 'with an early commit there is one data request')
      if (!isOpen) {
        throw new RejoinError('storage-closed', { reason: 'closed' }, `${name} was closed; open it again`)
      }
      const outcome = database.apply(requests)
      if (!outcome.ok)
        throw new StorageCollision(`${name} has a record ${JSON.stringify(outcome.collision)} already`)
      return outcome.answers
    },
    // What is in memory is lost with the program, which then hears nothing.
    onLost: () => () => {},
    close() {
      isOpen = false
    },
  }
}

/** Whether a browser that commits early keeps all of it or nothing. A fence has a store of its own. */
function mayCommitEarly(requests: readonly StorageRequest[]): boolean {
  const stores = requests.flatMap(({ op, store }) => (op === 'add' || op === 'put' ? store : []))
  return new Set(stores).size === stores.length
}
