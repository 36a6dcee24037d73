/** The replica's state as the journal feeds it; tells what each chunk changed. */
import type { AppliedChunk, Chunk, ReplicaState } from '@rejoin/core'
import type { JournalSink } from './journal/sink.ts'

/** Calls back after every chunk, and with null after the state was taken over from pages. */
export function createStateSink(
  state: ReplicaState,
  onApplied: (applied: AppliedChunk, chunk: Chunk | null) => void,
): JournalSink {
  return {
    apply: (position, chunk) => onApplied(state.apply(position, chunk), chunk),
    load: (rows, snapshot, position, isNewer) =>
      onApplied(state.load(rows, snapshot, position, isNewer), null),
    skip: (changed, snapshot, position) => onApplied(state.skip(changed, snapshot, position), null),
    snapshot: state.snapshot,
    confirmed: state.confirmed,
    changedAfter: state.changedAfter,
    bodies: state.bodies,
    written: state.written,
  }
}
