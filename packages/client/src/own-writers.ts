/**
 * Which writers are this device's, as far as its state tells: those of what has been in its outbox, and those that were
 * made anew. It is asked when a conflict is shown, so nothing is kept up for it while somebody writes.
 */
import type { ReplicaState, WriterId } from '@rejoin/core'

export function createOwnWriters({
  own,
  retired,
}: Pick<ReplicaState, 'own' | 'retired'>): (writer: WriterId) => boolean {
  return writer => own.has(writer) || retired.has(writer)
}
