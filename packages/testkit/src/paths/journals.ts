/** Paths that can be seen in what devices store: which chunks, pages and fences. */
import {
  decodeChunk,
  StorageCollision,
  type Chunk,
  type OpenStorage,
  type StorageRequest,
} from '@rejoin/core'
import type { Take } from './path.ts'

/** What comes to a device's disk, whoever lives to hear of it. */
export interface DiskWatch {
  readonly take: Take
  /** A chunk is in the journal of a database. */
  stored(database: string, chunk: Chunk): void
}

/** The same storage; `overtaken` is told when pages were read, which a tab takes over in place of chunks. */
export function watchStorage(open: OpenStorage, take: Take, overtaken: () => void): OpenStorage {
  return async (name, version, stores) => {
    const storage = await open(name, version, stores)
    return {
      ...storage,
      async transact(options) {
        try {
          const answers = await storage.transact(options)
          if (options.mode === 'readonly' && options.requests.some(isOfPages)) overtaken()
          return answers
        } catch (error) {
          if (error instanceof StorageCollision) take('fence-lost')
          throw error
        }
      },
    }
  }
}

/** The last thing that is read before what they hold is taken over. */
function isOfPages({ op, store }: StorageRequest): boolean {
  return op === 'getAll' && store === 'pages'
}

/** A request that wrote to a database is done. */
export function pathsOfRequest(database: string, request: StorageRequest, { take, stored }: DiskWatch): void {
  if (request.op === 'put' && request.store === 'pages') return take('pages')
  if (request.op === 'put' && request.store === 'journal') return take('folded')
  if (request.op !== 'add') return
  if (request.store === 'terms' && Array.isArray(request.key) && request.key[1] === 0)
    return take('fence-taken')
  if (request.store !== 'journal') return
  const { bytes } = request.value as { readonly bytes: Uint8Array }
  const decoded = decodeChunk(bytes)
  if (!decoded.ok) return
  stored(database, decoded.value)
  pathsOfChunk(decoded.value, take)
}

function pathsOfChunk(chunk: Chunk, take: Take): void {
  switch (chunk.kind) {
    case 'own':
    case 'verdicts':
    case 'settled':
    case 'forgotten':
    case 'met':
      return take(chunk.kind)
    case 'pulled':
      take('pulled')
      if (chunk.frontier?.how === 'replace') take('frontier-replaced')
      return
    case 'remade':
      take('remade')
      if (chunk.quarantined.length > 0) take('quarantined')
      if (chunk.quarantined.some(({ error }) => error.code === 'built-on-refused')) take('built-on-refused')
      if (chunk.transactions.some(({ to }) => to.writes.some(({ texts }) => texts.size > 0)))
        take('remade-text')
      return
    case 'snapshot':
      return
  }
}
