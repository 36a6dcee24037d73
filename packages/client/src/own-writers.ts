/**
 * Which writers are this device's, as far as its state tells: those of what it has not settled, those that were made
 * anew, and those of what was written while this page is open.
 */
import type { ReplicaState, WriterId } from '@rejoin/core'
import type { Changes } from './changes.ts'

export function createOwnWriters(state: ReplicaState, changes: Changes): (writer: WriterId) => boolean {
  const own = new Set<WriterId>()
  function collect(): void {
    const pending = [...state.outbox.entries(), ...state.quarantine.values()]
    for (const { transaction } of pending) for (const { mark } of transaction.writes) own.add(mark.writer)
  }
  collect()
  changes.onUpdate(({ changed, writers }) => {
    for (const key of changed) for (const { mark } of state.outbox.writesOf(key)) own.add(mark.writer)
    for (const [from, to] of writers) own.add(from).add(to)
  })
  return writer => own.has(writer) || state.retired.has(writer)
}
