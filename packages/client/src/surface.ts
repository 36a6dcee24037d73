/**
 * The surface of a replica: everything that an application calls, over the engine's `ReplicaCore`.
 *
 * Here its rooms are put together, and nothing else: what reads is over `VisibleDocuments`, what writes goes through
 * `Drafts`, and what is live hears of changes from `Changes`.
 */
import { checkCollections, type Collection, type Collections } from './collection.ts'
import { createChanges } from './changes.ts'
import { createConflictList } from './conflict-list.ts'
import { createConflicts, type Conflicts } from './conflicts.ts'
import { createMint } from './document-id.ts'
import { createCollectionHandle, type CollectionHandle, type DocumentContext } from './documents.ts'
import { createDrafts } from './drafts.ts'
import { createLive, type Live } from './live.ts'
import { createOwnWriters } from './own-writers.ts'
import { createQuarantine, type Quarantine } from './quarantine.ts'
import type { ReplicaCore } from './replica-core.ts'
import { isSameLocalStatus, readLocalStatus, type LocalStatus } from './status.ts'
import { createTexts } from './texts.ts'
import { createTransact, type Transact } from './transaction.ts'
import { createVisibleDocuments } from './visible-documents.ts'

/** A handle for each declared collection, by the property that the application gave it. */
export type CollectionHandles<C extends Collections> = {
  readonly [K in keyof C]: C[K] extends Collection<infer Name, infer F> ? CollectionHandle<Name, F> : never
}

export interface Surface<C extends Collections> {
  readonly collections: CollectionHandles<C>
  readonly transact: Transact<C>
  readonly conflicts: Conflicts<C>
  readonly quarantine: Quarantine
  /** What the state knows; the engine adds what it knows of the connection. */
  readonly status: Live<LocalStatus>
  /** Resolves once what was typed is written. */
  written(): Promise<void>
  /** Nothing here listens to the core any more. The core is closed with it, or a write would replace what was not shown (SPEC K1). */
  close(): void
}

/** Throws as `checkCollections`. */
export function createSurface<C extends Collections>(core: ReplicaCore, collections: C): Surface<C> {
  checkCollections(collections)
  const changes = createChanges(core)
  const documents = createVisibleDocuments(core.state, collections, changes)
  const drafts = createDrafts(core, changes)
  const texts = createTexts(core, drafts, changes)
  const isOwn = createOwnWriters(core.state)
  const list = createConflictList(core.state, collections, changes, isOwn)
  const handles = createHandles(
    { state: core.state, drafts, changes, mint: createMint(), texts, documents },
    collections,
  )
  const countConflicts = (): number => list.read().filter(({ settledBy }) => settledBy === 'person').length
  const status = createLive<LocalStatus>(changes, {
    read(previous) {
      const status = readLocalStatus(core.state, countConflicts())
      return previous !== undefined && isSameLocalStatus(previous, status) ? previous : Object.freeze(status)
    },
  })
  return {
    collections: handles,
    transact: createTransact<C>(drafts, handles),
    conflicts: createConflicts<C>({ collections, drafts, changes, list }),
    quarantine: createQuarantine({ core, collections, drafts, changes, texts }),
    status,
    written: texts.close,
    close: changes.close,
  }
}

function createHandles<C extends Collections>(
  context: DocumentContext,
  collections: C,
): CollectionHandles<C> {
  const handles = Object.entries(collections).map(([property, declaration]) => [
    property,
    createCollectionHandle(context, declaration),
  ])
  // `Object.fromEntries` forgets which property had which declaration.
  return Object.fromEntries(handles) as CollectionHandles<C>
}
