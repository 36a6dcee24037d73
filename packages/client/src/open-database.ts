/**
 * Opening the database of a replica: in IndexedDB, or in memory where that is not to be had. A replica in memory works
 * like any other, and says that it ends with the page.
 */
import { RejoinError, type Storage, type StoreId } from '@rejoin/core'
import { openHoldings, type Holdings } from './journal/holdings.ts'
import { lookFirst, type FirstLook, type JournalLook } from './journal/look.ts'
import { openReplicaRecord, readRecord, type OpenedReplica } from './journal/loss.ts'
import { journalStores, journalVersion } from './journal/stores.ts'
import { createMemoryPorts, memoryPorts, platformPorts } from './platform.ts'
import { createOwner, readOwner, type Owner } from './owner.ts'
import type { ClientPorts } from './ports.ts'
import { reopening, type ReopeningStorage } from './storage/reopening.ts'

export interface OpenedDatabase {
  /** The ports that fit the storage. */
  readonly ports: ClientPorts
  readonly storage: ReopeningStorage
  /** Asked for at once, so that it comes while everything else is prepared. */
  readonly journal: Promise<JournalLook>
  readonly record: OpenedReplica
  readonly replica: StoreId
  readonly owner: Owner
  /** Null in memory, which no browser takes down without what is in it. */
  readonly holdings: Holdings | null
  /** Why it is in memory although it should not be: then nothing gets on this device's disk. */
  readonly blocked: RejoinError | null
}

/** `rejoin/<account>/<space>`, each part in a form that keeps two databases apart. */
export function databaseName(space: string, account: string): string {
  return `rejoin/${encodeURIComponent(account)}/${encodeURIComponent(space)}`
}

/** Throws a TypeError for a database that holds another space: what is in it would be sent where it does not belong. */
export async function openDatabase(
  name: string,
  space: string,
  given: Partial<ClientPorts> | undefined,
): Promise<OpenedDatabase> {
  const platform = platformPorts(name)
  const own = given?.persistence === 'memory' ? { ...platform, ...memoryPorts } : platform
  const ports: ClientPorts = { ...own, ...given }
  try {
    return await openWith(name, space, ports, null)
  } catch (error) {
    if (!(error instanceof RejoinError) || ports.persistence === 'memory') throw error
    // What came with ports of its own, such as a simulated device, shares nothing with the rest of the process.
    const memory = given === undefined ? memoryPorts : createMemoryPorts()
    return openWith(name, space, { ...ports, ...memory }, error)
  }
}

async function openWith(
  name: string,
  space: string,
  ports: ClientPorts,
  blocked: RejoinError | null,
): Promise<OpenedDatabase> {
  let holding: Promise<Holdings | null> | null = null
  try {
    let replica: StoreId | null = null
    const isSame = async (storage: Storage): Promise<boolean> =>
      replica === null || (await readRecord(storage))?.id === replica
    const open = reopening(ports.openStorage, ports.runtime, isSame)
    // Before the other database, which nobody waits for as long.
    const opening = open(name, journalVersion, journalStores)
    holding = openHoldingsOf(name, ports)
    const storage = await opening
    const first = lookFirst(storage)
    const known = await readKnown(storage, space, first, ports).catch((error: unknown) => {
      storage.close()
      throw error
    })
    ;({ replica } = known)
    return { ports, storage, journal: first, ...known, holdings: await holding, blocked }
  } catch (error) {
    void holding?.then(opened => opened?.close())
    throw error
  }
}

async function readKnown(
  storage: Storage,
  space: string,
  first: Promise<FirstLook>,
  { marker, runtime }: ClientPorts,
): Promise<Pick<OpenedDatabase, 'record' | 'replica' | 'owner'>> {
  // Where the journal cannot be read, whoever reads it tells so.
  const look = await first.catch(() => null)
  const [record, user] = await Promise.all([
    openReplicaRecord(
      storage,
      marker,
      runtime,
      look === null ? undefined : Promise.resolve(look.record),
      space,
    ),
    look === null ? readOwner(storage) : look.user,
  ])
  if (record.space !== undefined && record.space !== space)
    throw new TypeError(
      `the database holds the space ${record.space}, not ${space}: each has a name of its own`,
    )
  return { record, replica: record.id, owner: createOwner(storage, user) }
}

/** What cannot be told costs the countermeasure, not the replica. */
async function openHoldingsOf(name: string, ports: ClientPorts): Promise<Holdings | null> {
  if (ports.persistence === 'memory') return null
  const open = reopening(ports.openStorage, ports.runtime)
  return openHoldings(open, ports.locks, name, ports.marker).catch(() => null)
}
