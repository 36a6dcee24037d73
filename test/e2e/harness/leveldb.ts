/**
 * The files below IndexedDB in Chromium, and what a kill in the wrong instant does to them.
 *
 * LevelDB writes the header and the payload of a record by two system calls. A process that is killed between them
 * leaves a header without its record at the end of the newest log.
 */
import { appendFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Records are packed into blocks of this size; one never begins in the last few bytes of a block. */
const blockBytes = 32_768
const headerBytes = 7

/** Appends a header that promises more than there is. The browser of the profile must not run. */
export function tearNewestLog(profileFolder: string): void {
  const folder = findStore(profileFolder)
  const newest = readdirSync(folder)
    .filter(name => name.endsWith('.log'))
    .sort()
    .at(-1)
  if (newest === undefined) throw new Error(`there is no log in ${folder}`)
  const path = join(folder, newest)
  const left = blockBytes - (statSync(path).size % blockBytes)
  const filling = Buffer.alloc(left < headerBytes ? left : 0)
  // A checksum, a length of 200 bytes, and the kind of a record that is whole.
  const header = Buffer.from([0x5e, 0x3d, 0x91, 0x07, 200, 0, 1])
  appendFileSync(path, Buffer.concat([filling, header]))
}

/** What the files of the profile's one origin hold, garbage included. */
export function storeBytes(profileFolder: string): number {
  const folder = findStore(profileFolder)
  return readdirSync(folder).reduce((bytes, name) => bytes + statSync(join(folder, name)).size, 0)
}

function findStore(profileFolder: string): string {
  const databases = join(profileFolder, 'Default', 'IndexedDB')
  const stores = readdirSync(databases).filter(name => name.endsWith('.leveldb'))
  const [store] = stores
  if (store === undefined || stores.length > 1) throw new Error(`${stores.length} origins have a store`)
  return join(databases, store)
}
