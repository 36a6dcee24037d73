export { createHousekeeping, type HousekeepingOptions } from './housekeeping.ts'
export { takeFence, type Fence } from './journal/fence.ts'
export type { Forgetting } from './journal/forget.ts'
export { createJournal, type CompactionStep, type Journal, type JournalOptions } from './journal/journal.ts'
export { openHoldings, type Holdings } from './journal/holdings.ts'
export { createLocalMarker } from './journal/local-marker.ts'
export {
  openReplicaRecord,
  scrubLog,
  type Marker,
  type MarkerRecord,
  type OpenedReplica,
} from './journal/loss.ts'
export type { JournalSink } from './journal/sink.ts'
export { journalStores, journalVersion } from './journal/stores.ts'
export { createIndexedDbStorage } from './storage/indexeddb.ts'
export { createMemoryStorage } from './storage/memory.ts'
export {
  createMemoryDatabase,
  type MemoryDatabase,
  type MemoryImage,
  type MemoryOutcome,
  type MemoryStoreImage,
} from './storage/memory-database.ts'
export { copyRecord } from './storage/record-copy.ts'
export {
  collection,
  type AnyField,
  type Collection,
  type CollectionOptions,
  type Collections,
  type DeclaredPart,
  type DocumentOf,
  type Fields,
  type InsertOf,
  type PatchOf,
  type TextDocumentOf,
  type TextFieldOf,
  type TextOf,
} from './collection.ts'
export type {
  Conflict,
  Conflicts,
  ConflictSide,
  DeletionConflictOf,
  FieldConflictOf,
  Resolution,
  ResolveHandle,
} from './conflicts.ts'
export type { CollectionHandle, DocumentWriter, InsertOptions } from './documents.ts'
export type { Live } from './live.ts'
export type { Quarantine, QuarantinedItem, QuarantinedWrite } from './quarantine.ts'
export type { LiveQuery } from './query/live-query.ts'
export type { Condition, Direction, Operators, Order, QueryOptions, Where } from './query/query-options.ts'
export type { Connection, LocalStatus, Status } from './status.ts'
export type { ReplicaCore } from './replica-core.ts'
export { createSessionStorage, type SessionStorage, type SessionStorageOptions } from './session-storage.ts'
export { createSurface, type CollectionHandles, type Surface } from './surface.ts'
export type { TextHandle } from './texts.ts'
export type { SynchronousOnly, Transact, TransactionScope } from './transaction.ts'
export type { Reachable, ReachedOptions, Transacted, WriteHandle } from './write-handle.ts'
export { openReplica } from './open.ts'
export type { OpenOptions } from './open-options.ts'
export type { ClientPorts, Page, PageEvent } from './ports.ts'
export { createProcessLocks } from './process-tabs.ts'
export type { Replica, ReplicaEvents, ReplicaMembers, ReservedName } from './replica.ts'
export type { Repair } from './driving.ts'
export { systemRuntime } from './system-runtime.ts'
export type { Token } from './token-source.ts'
export { deflating } from './deflating.ts'
export type { Deflation } from './deflating.ts'
export { streamDeflation } from './stream-deflation.ts'
export { connectWebSocket } from './websocket-runtime.ts'
