export { closeCodeOf, closeCodes } from './close-code.ts'
export type {
  CreateKernel,
  Kernel,
  KernelOptions,
  KernelSession,
  Log,
  SessionLink,
} from './kernel-port.ts'
export { createLog, type LogLevel } from './logger.ts'
export { createMemoryDisk, type MemoryDisk, type MemoryImage } from './memory-store.ts'
export { nodeRuntime } from './node-runtime.ts'
export type { OpenRelayStore } from './open-store.ts'
export type {
  Accept,
  AcceptRule,
  Access,
  Authenticate,
  DeclaredCollection,
  Grant,
  Rules,
  TokenContext,
  WriteContext,
} from './permission.ts'
export { rehearse } from './rehearsal/rehearsal.ts'
export { createRelay } from './relay.ts'
export type { ListenOptions, RelayOptions } from './relay-options.ts'
export { createShell, type Relay, type RelayAddress } from './shell.ts'
export { closeOnSignal } from './signals.ts'
export type { SocketLimits } from './socket-limits.ts'
export { sqlite, type SqliteOptions } from './sqlite/store.ts'
export type { ReadableWrite } from './readable-write.ts'
