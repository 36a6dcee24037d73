/** Closing a replica, in the order that loses nothing. */
import { RejoinError, type Runtime } from '@rejoin/core'
import type { Attendance } from './attendance.ts'
import type { Engine } from './engine.ts'
import type { Housekeeping } from './housekeeping.ts'
import type { Holdings } from './journal/holdings.ts'
import type { LiveStatus } from './live-status.ts'
import type { MarkedReplica } from './marker-record.ts'
import type { Settling } from './settling.ts'
import type { Uplink } from './uplink.ts'

/** What an open replica is made of, as far as its end has to do with it. */
export interface OpenParts {
  readonly name: string
  readonly runtime: Pick<Runtime, 'after'>
  readonly engine: Engine
  readonly surface: { written(): Promise<void>; close(): void }
  readonly uplink: Pick<Uplink, 'close'>
  readonly marked: Pick<MarkedReplica, 'leave'>
  readonly housekeeping: Pick<Housekeeping, 'close'>
  readonly settling: Pick<Settling, 'close'>
  readonly status: Pick<LiveStatus, 'close'>
  readonly attendance: Pick<Attendance, 'letGoOfPage'>
  readonly events: { close(): void }
  readonly holdings: Pick<Holdings, 'close'> | null
  readonly storage: { close(): void }
}

/** How long each of the steps that wait for a store may wait for one that does not answer. */
const stepMs = 600

export async function closeParts(parts: OpenParts): Promise<void> {
  const { name, runtime, engine, surface, uplink, housekeeping } = parts
  const { journal } = engine
  // What was typed and written is stored first.
  await within(runtime, surface.written)
  await within(runtime, journal.flush)
  // Not before: who closes it because the page goes away has it handed over at once by that.
  parts.attendance.letGoOfPage()
  parts.marked.leave()
  const released = uplink.close()
  housekeeping.close()
  engine.close()
  surface.close()
  const reason = `the replica ${name} was closed; open it again`
  parts.settling.close(new RejoinError('closed', { what: name }, reason))
  parts.status.close()
  // A store that does not answer holds the journal up; its channel and its storage go all the same.
  journal.pause()
  await within(runtime, () => released)
  await within(runtime, journal.close)
  // What there was no room for until the end is told, too.
  parts.events.close()
  parts.holdings?.close()
  parts.storage.close()
}

/** Whatever it does ends, or is left to itself after a while. */
async function within(runtime: Pick<Runtime, 'after'>, run: () => Promise<void>): Promise<void> {
  let cancel = (): void => {}
  const late = new Promise<void>(resolve => {
    cancel = runtime.after(stepMs, resolve)
  })
  await Promise.race([run().catch(() => {}), late])
  cancel()
}
