/**
 * How a change of the state reaches what is live, in two steps: first everything is brought up to date, then those
 * who subscribed are told. So no listener sees one live value after a change and another before it.
 *
 * What this tab wrote is up to date when the call returns; telling waits for the core, once for each tick.
 */
import type { Applied, DocumentKey } from '@rejoin/core'
import { nothingApplied } from './applied-batch.ts'
import { createListeners } from './listeners.ts'
import type { ReplicaCore } from './replica-core.ts'

export interface Changes {
  /** Rises with everything that may have changed; what was computed at the same version is up to date. */
  readonly version: number
  /** Runs at every change, before anybody is told. Returns how to stop. */
  onUpdate(update: (applied: Applied) => void): () => void
  /** Runs after every change, once all is up to date. Returns how to stop. */
  onTell(tell: () => void): () => void
  /** This tab wrote these documents. */
  note(changed: ReadonlySet<DocumentKey>): void
  close(): void
}

export function createChanges(core: Pick<ReplicaCore, 'onApplied'>): Changes {
  const updates = createListeners<Applied>()
  const tells = createListeners<void>()

  function update(applied: Applied): void {
    changes.version++
    updates.call(applied)
  }

  const stop = core.onApplied(applied => {
    // What this tab wrote is up to date since.
    if (applied !== nothingApplied) update(applied)
    tells.call()
  })

  const changes = {
    version: 0,
    onUpdate: updates.add,
    onTell: tells.add,
    note: (changed: ReadonlySet<DocumentKey>) => update({ ...nothingApplied, changed }),
    close: stop,
  }
  return changes
}
