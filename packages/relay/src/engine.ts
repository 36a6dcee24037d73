/**
 * How V8 is set in a process that is a relay and nothing else, beyond what the command gives to Node. No flag changes
 * what code does, and an engine that no longer knows one says so and goes on.
 */
import { setFlagsFromString } from 'node:v8'

export function tuneEngine(): void {
  // The compiler that takes longest comes in after three thousand calls, of nearly everything at once: when everybody is
  // back at a relay that was just started, and needs its processors. Ten times later it comes for what is worth it.
  setFlagsFromString('--invocation-count-for-turbofan=30000')
  // A young generation of 2 MiB is collected by one thread sooner than others have woken up.
  setFlagsFromString('--no-parallel-scavenge')
}
