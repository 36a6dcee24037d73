/**
 * A device's disk, simulated: the client's storage with latency, and with what a crash or a power loss leaves of it.
 *
 * A transaction is done some time after it was asked for. A process that dies in between may leave it done or not
 * done, never in part. A power loss takes every relaxed transaction after the last strict one (a suffix, as real
 * engines lose it), and with it the keys that it was given.
 */
import {
  RejoinError,
  StorageCollision,
  type OpenStorage,
  type Storage,
  type StorageRequest,
} from '@rejoin/core'
import { createMemoryDatabase, type MemoryDatabase, type MemoryImage } from '@rejoin/client'
import type { Chance } from './chance.ts'
import type { Scope } from './scope.ts'

export interface SimulatedDisk {
  /** How a tab opens it. */
  openFrom(scope: Scope): OpenStorage
  /** Takes away what only the operating system had. To be called when everything on the device is dead. */
  losePower(): void
  image(): DiskImage
  restore(image: DiskImage): void
  /** Every transaction fails with this code until it is null again. */
  fail(code: 'storage-full' | null): void
  /** The next transaction that writes is aborted, and nobody says why. */
  abortNext(): void
  /** Transactions take so many times as long as ever; 1 is as ever. */
  slow(factor: number): void
  /** The greatest of these factors so far. */
  readonly slowest: number
  /** Nothing is amiss with it any more. */
  mend(): void
  readonly failing: boolean
  readonly counts: { transactions: number; strict: number; lost: number; halfway: number; aborted: number }
}

export type DiskImage = ReadonlyMap<string, MemoryImage>

interface Database {
  readonly memory: MemoryDatabase
  /** As of the last strict transaction. */
  durable: MemoryImage
  relaxed: number
}

/** `written` is told each request of a transaction that wrote, also of one of a tab that did not live to hear of it. */
export function createSimulatedDisk(
  chance: Chance,
  written: (database: string, request: StorageRequest) => void = () => {},
): SimulatedDisk {
  const databases = new Map<string, Database>()
  const counts = { transactions: 0, strict: 0, lost: 0, halfway: 0, aborted: 0 }
  let failing: 'storage-full' | null = null
  let isAborting = false
  let slowness = 1
  let slowest = 1

  function open(name: string, scope: Scope): Storage {
    const database = databases.get(name)
    if (database === undefined) throw new Error(`no database ${name}`)
    let isOpen = true
    let last = Promise.resolve()

    function run(options: Parameters<Storage['transact']>[0]): readonly unknown[] {
      if (failing !== null && options.mode === 'readwrite') {
        throw new RejoinError(failing, { reason: 'simulated' }, 'the disk is full')
      }
      if (isAborting && options.mode === 'readwrite') {
        isAborting = false
        counts.aborted += 1
        throw new RejoinError('storage-closed', { reason: 'simulated' }, 'the transaction was aborted')
      }
      const outcome = database?.memory.apply(options.requests)
      counts.transactions += 1
      if (outcome === undefined || !outcome.ok) throw new StorageCollision('simulated')
      if (options.mode === 'readwrite') {
        if (options.durability === 'strict') {
          counts.strict += 1
          if (database !== undefined) {
            database.durable = database.memory.image()
            database.relaxed = 0
          }
        } else if (database !== undefined) database.relaxed += 1
        for (const request of options.requests) written(name, request)
      }
      return outcome.answers
    }

    return {
      transact(options) {
        if (!isOpen || !scope.alive) {
          return Promise.reject(
            new RejoinError('storage-closed', { reason: 'closed' }, 'the store was closed'),
          )
        }
        // In the order of asking, as overlapping transactions of one connection are.
        const before = last
        const done = new Promise<readonly unknown[]>((resolve, reject) => {
          void before.then(() => {
            let settled = false
            const finish = (): void => {
              settled = true
              forget()
              try {
                resolve(run(options))
              } catch (error) {
                reject(error)
              }
            }
            scope.after(chance.next() * (options.durability === 'strict' ? 6 : 3) * slowness, finish)
            const forget = scope.onKill(() => {
              if (settled) return
              settled = true
              counts.halfway += 1
              // It was under way: whether it got through is chance, and nobody is there to hear of it.
              if (options.mode === 'readwrite' && chance.chance(0.5)) {
                try {
                  run(options)
                } catch {
                  // A collision leaves nothing, as it must.
                }
              }
            })
          })
        })
        last = done.then(
          () => {},
          () => {},
        )
        return done
      },
      onLost: () => () => {},
      close() {
        isOpen = false
      },
    }
  }

  return {
    counts,
    openFrom: scope => (name, _version, stores) => {
      let database = databases.get(name)
      if (database === undefined) {
        const memory = createMemoryDatabase(stores)
        database = { memory, durable: memory.image(), relaxed: 0 }
        databases.set(name, database)
      }
      return Promise.resolve(open(name, scope))
    },
    losePower() {
      for (const database of databases.values()) {
        counts.lost += database.relaxed
        database.memory.restore(database.durable)
        database.relaxed = 0
      }
    },
    image: () => new Map([...databases].map(([name, { memory }]) => [name, memory.image()])),
    restore(image) {
      databases.clear()
      for (const [name, held] of image) {
        const memory = createMemoryDatabase([])
        memory.restore(held)
        databases.set(name, { memory, durable: held, relaxed: 0 })
      }
    },
    fail(code) {
      failing = code
    },
    abortNext() {
      isAborting = true
    },
    slow(factor) {
      slowness = factor
      slowest = Math.max(slowest, factor)
    },
    get slowest() {
      return slowest
    },
    mend() {
      failing = null
      isAborting = false
      slowness = 1
    },
    get failing() {
      return failing !== null
    },
  }
}
