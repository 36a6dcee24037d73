/**
 * What a device holds, read from its disk alone, as a tab that opens now would find it. No tab takes part, so this is
 * what a crash at this moment would leave.
 */
import {
  createReplicaState,
  oneCopy,
  type Copies,
  type ReplicaState,
  type Runtime,
  type Storage,
} from '@rejoin/core'
import { createJournal, journalStores, type JournalSink } from '@rejoin/client'
import { createMemoryDatabase } from '@rejoin/client'
import type { SimulatedDisk } from './disk.ts'

export interface DeviceState {
  readonly state: ReplicaState
  readBody: ReturnType<typeof createJournal>['readBody']
}

/** Null if the device never opened the database. */
export async function readDevice(
  disk: SimulatedDisk,
  name: string,
  copies: Copies = oneCopy,
): Promise<DeviceState | null> {
  const image = disk.image().get(name)
  if (image === undefined) return null
  const database = createMemoryDatabase(journalStores)
  database.restore(image)
  const storage: Storage = {
    transact: ({ requests }) => {
      const outcome = database.apply(requests)
      return outcome.ok
        ? Promise.resolve(outcome.answers)
        : Promise.reject(new Error('a reader met a collision'))
    },
    onLost: () => () => {},
    close: () => {},
  }
  const state = createReplicaState(copies)
  const sink: JournalSink = {
    apply: (position, chunk) => void state.apply(position, chunk),
    load: (rows, snapshot, position) => void state.load(rows, snapshot, position),
    skip: (changed, snapshot, position) => void state.skip(changed, snapshot, position),
    snapshot: state.snapshot,
    confirmed: state.confirmed,
    changedAfter: state.changedAfter,
    bodies: state.bodies,
    written: state.written,
  }
  const still: Runtime = {
    now: () => 0,
    monotonic: () => 0,
    randomBytes: length => new Uint8Array(length),
    after: () => () => {},
  }
  const journal = createJournal({
    name,
    storage,
    runtime: still,
    locks: { request: () => ({ done: Promise.resolve(), cancel: () => {} }) },
    openChannel: () => ({ post: () => {}, close: () => {} }),
    sink,
  })
  await journal.read()
  return { state, readBody: journal.readBody }
}
