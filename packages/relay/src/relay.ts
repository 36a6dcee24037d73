/**
 * A relay as an application makes it.
 */
import { createKernel } from './kernel/index.ts'
import type { RelayOptions } from './relay-options.ts'
import { createShell, type Relay } from './shell.ts'

/** A relay that judges, stores and forwards once it listens. */
export function createRelay(options: RelayOptions): Relay {
  return createShell(options, createKernel)
}
