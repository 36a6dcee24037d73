/**
 * What a device holds, read from its disk alone, as a tab that opens now would find it. No tab takes part, so this is
 * what a crash at this moment would leave.
 *
 * Who reads again goes on from what was read before, if all of that is on the disk as it was, record by record, and
 * only chunks came behind it; anything else is read from the start.
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
import { createMemoryDatabase, type MemoryImage } from '@rejoin/client'
import type { SimulatedDisk } from './disk.ts'

export interface DeviceState {
  readonly state: ReplicaState
  readBody: ReturnType<typeof createJournal>['readBody']
}

/** A tab of nobody, which has read a disk up to an image of it. */
interface Reading extends DeviceState {
  readonly copies: string
  readTo(image: MemoryImage): Promise<void>
  readonly image: MemoryImage | null
}

const readings = new WeakMap<SimulatedDisk, Map<string, Reading>>()

/** Null if the device never opened the database. What is given is good until time passes. */
export async function readDevice(
  disk: SimulatedDisk,
  name: string,
  copies: Copies = oneCopy,
): Promise<DeviceState | null> {
  const image = disk.image().get(name)
  if (image === undefined) return null
  let byName = readings.get(disk)
  if (byName === undefined) readings.set(disk, (byName = new Map()))
  let reading = byName.get(name)
  if (
    reading === undefined ||
    reading.copies !== JSON.stringify(copies) ||
    reading.image === null ||
    !goesOn(reading.image, image)
  )
    reading = createReading(name, copies)
  // Who fails at it, or is still at it when another one asks, is nobody's to go on from.
  byName.delete(name)
  await reading.readTo(image)
  byName.set(name, reading)
  return reading
}

/** Whether a database is what it was, and chunks behind that. Who only reads looks at no fences. */
function goesOn(before: MemoryImage, now: MemoryImage): boolean {
  const isSame = (name: string): boolean => before.stores.get(name) === now.stores.get(name)
  if (!['pages', 'texts', 'meta'].every(isSame)) return false
  if (isSame('journal')) return true
  const [old, chunks] = [before, now].map(({ stores }) => stores.get('journal'))
  return (
    old !== undefined &&
    chunks !== undefined &&
    old.keys.every((key, i) => key === chunks.keys[i] && old.values[i] === chunks.values[i])
  )
}

function createReading(name: string, copies: Copies): Reading {
  const database = createMemoryDatabase(journalStores)
  let image: MemoryImage | null = null
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
  return {
    state,
    readBody: journal.readBody,
    copies: JSON.stringify(copies),
    get image() {
      return image
    },
    async readTo(next) {
      image = next
      database.restore(next)
      await journal.read()
    },
  }
}
