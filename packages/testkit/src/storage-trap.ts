/** A storage at which a tab dies between two steps: before one of its transactions, or when that is done. */
import type { OpenStorage } from '@rejoin/core'
import type { Scope } from './scope.ts'

export interface StorageTrap {
  /** Writing transactions until it springs, that one included; 0 while it is not set. */
  steps: number
  when: 'before' | 'after'
  /** How often it sprang. */
  sprung: number
}

/** Who dies at a transaction hears nothing of it. */
export function trapStorage(open: OpenStorage, scope: Scope, trap: StorageTrap): OpenStorage {
  function springs(): boolean {
    if (trap.steps === 0 || !scope.alive) return false
    trap.steps -= 1
    return trap.steps === 0
  }
  function die(): Promise<never> {
    trap.sprung += 1
    scope.kill()
    return new Promise(() => {})
  }
  return async (name, version, stores) => {
    const storage = await open(name, version, stores)
    return {
      ...storage,
      async transact(options) {
        if (options.mode === 'readonly' || !springs()) return storage.transact(options)
        if (trap.when === 'after') await storage.transact(options)
        return die()
      },
    }
  }
}
