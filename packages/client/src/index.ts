export { createIndexedDbStorage } from './storage/indexeddb.ts'
export { createMemoryStorage } from './storage/memory.ts'
export {
  createMemoryDatabase,
  type MemoryDatabase,
  type MemoryImage,
  type MemoryOutcome,
  type MemoryStoreImage,
} from './storage/memory-database.ts'
