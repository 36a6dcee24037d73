export { createKernel } from './kernel.ts'
export type { Kernel, KernelOptions, KernelSession, Log, SessionLink } from '../kernel-port.ts'
