export { createKernel } from './kernel.ts'
export type { Kernel, KernelOptions, KernelSession, Log, SessionLink } from '../kernel-port.ts'
export { createMemoryDisk, type MemoryDisk, type MemoryImage } from '../memory-store.ts'
