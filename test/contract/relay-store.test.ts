import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryDisk, sqlite } from '@rejoin/relay'
import { pageStoreContract, relayStoreContract, type ContractRunner, type RelayDisk } from '@rejoin/testkit'
import { expect, test } from 'vitest'

const runner: ContractRunner = { test, equal: (actual, expected) => expect(actual).toEqual(expected) }

relayStoreContract('memory', createMemory, runner)
relayStoreContract('SQLite', createFile, runner)
relayStoreContract('SQLite without room for a cache', () => createFile(0), runner)
pageStoreContract('memory', createMemory, runner)
pageStoreContract('SQLite', createFile, runner)

async function createMemory(): Promise<RelayDisk> {
  const { open } = createMemoryDisk(length => new Uint8Array(randomBytes(length)))
  return { open, remove: async () => {} }
}

async function createFile(cacheBytesMax?: number): Promise<RelayDisk> {
  const folder = mkdtempSync(join(tmpdir(), 'rejoin-store-'))
  return {
    open: sqlite(join(folder, 'rejoin.db'), { cacheBytesMax }),
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  }
}
