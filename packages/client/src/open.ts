/**
 * Opening a replica: storage, journal, surface, tabs and connection, in the order in which each can rely on the one
 * before.
 *
 *   opening --> open -- its store is gone --> on its own --> closed
 *                 \------------------------------------------^
 */
import { RejoinError, type TransactionId } from '@rejoin/core'
import { nothingApplied } from './applied-batch.ts'
import { createAttendance } from './attendance.ts'
import { closeParts } from './closing.ts'
import type { Collections } from './collection.ts'
import { createEngine } from './engine.ts'
import { createEvents } from './events.ts'
import { createHousekeeping } from './housekeeping.ts'
import { createJournal } from './journal/journal.ts'
import { evictedError, scrubLog } from './journal/loss.ts'
import { createLiveStatus } from './live-status.ts'
import { unavailable } from './milestones.ts'
import { markReplica } from './marker-record.ts'
import { createBodyMerge } from './merged-body.ts'
import { databaseName, openDatabase } from './open-database.ts'
import { addressesOf, checkOptions, type OpenOptions } from './open-options.ts'
import type { Replica, ReplicaEvents, ReplicaMembers } from './replica.ts'
import { createSettling } from './settling.ts'
import { countUnsent } from './status.ts'
import { createStorageFaults, damagedError, goneFrom } from './storage-faults.ts'
import { createSurface } from './surface.ts'
import { copiesOf, quorumOf } from './quorum.ts'
import { createTextSupports } from './text-supports.ts'
import { createUplink } from './uplink.ts'

/**
 * Opens a replica; its rows are in memory when it resolves, whether or not there is a network. Rejects with
 * `key-forbidden` for a collection that is named like a member of the replica; with a TypeError for options that can
 * never work, such as a relay that is no URL; with `quorum-invalid` for a `write` and `read` that cannot be had, or that
 * may miss each other without `unsafe`; with `storage-closed` if the database holds what this version cannot read.
 * Where nothing can be stored it is kept in memory, and `status` says so.
 */
export async function openReplica<C extends Collections>(given: OpenOptions<C>): Promise<Replica<C>> {
  checkOptions(given)
  // As they are now, whatever becomes of what was given.
  const options: OpenOptions<C> = { ...given, relays: [...given.relays] }
  const collections: C = { ...options.collections }
  const quorum = quorumOf({ ...options, relays: addressesOf(options) })
  const name = options.name ?? databaseName(options.space, options.account ?? '')
  const database = await openDatabase(name, options.space, options.ports)
  const { ports, storage, record, replica, holdings } = database
  const { runtime, page } = ports
  const events = createEvents<ReplicaEvents>(['repaired', 'alarm', 'evicted', 'damaged', 'unsaved'])
  const faults = createStorageFaults(database.blocked?.code, () => status.look())
  let closing: Promise<void> | null = null

  const supportOf = createTextSupports(collections)
  const engine = createEngine({
    name,
    runtime,
    copies: copiesOf(options, quorum),
    levels: () => [
      // In memory that nobody chose, nothing is on this device's disk.
      ...(database.blocked === null ? (['local'] as const) : []),
      ...(options.relays.length === 0 ? [] : (uplink.levels() ?? ['relay' as const])),
    ],
    awaitsLevels: () => options.relays.length > 0 && uplink.levels() === undefined,
    createJournal: sink =>
      createJournal({
        name,
        storage,
        first: database.journal,
        runtime,
        locks: ports.locks,
        openChannel: ports.openChannel,
        sink,
        mergeTexts: createBodyMerge(supportOf),
        onFault(error) {
          faults.note('write', error?.code)
          housekeeping.fault(error)
        },
        onUnreadable: beOnItsOwn,
        onDamaged: key => queueMicrotask(() => events.keep('damaged', damagedError(key))),
      }),
    onUnsaved: reportUnsaved,
  })
  const { journal } = engine
  const uplink = createUplink({
    name,
    engine,
    ports,
    relays: options.relays,
    quorum,
    token: options.token,
    session: {
      space: options.space,
      replica,
      device: options.device ?? '',
      // A quorum is counted here: of each relay its own disk is asked.
      level: quorum === null ? (options.level ?? 'relay') : 'relay',
    },
    owner: database.owner,
    supportOf,
    onChange: look,
    onHold: () => marked.hold(),
    onLost: () => marked.lose(),
    onTick(isAwake) {
      if (isAwake || page.visible()) readJournal()
    },
    onRepaired: repair => events.emit('repaired', repair),
    onAlarm: () => events.emit('alarm', null),
  })
  const marked = markReplica(ports.marker, holdings, replica, runtime, () => countUnsent(engine.state))
  const housekeeping = createHousekeeping({
    engine: () => engine,
    runtime,
    sessionFence: () => uplink.sessionFence(),
    inTurn: uplink.inTurn,
  })
  const settling = createSettling({
    never: options.relays.length === 0 ? unavailable('relay', ['local']) : null,
    isAllSent: () => engine.pending() === 0,
    askCut: uplink.askCut,
  })

  function look(): void {
    status.look()
    settling.look()
  }

  function reportUnsaved(id: TransactionId, error: unknown): void {
    const known =
      error instanceof RejoinError
        ? error
        : new RejoinError('storage-closed', { reason: String(error) }, `${name} cannot be written`, error)
    faults.note('write', known.code)
    events.emit('unsaved', { id, error: known })
  }

  function readJournal(): void {
    journal.read().then(
      () => faults.note('read', undefined),
      (error: unknown) => {
        if (!(error instanceof RejoinError)) throw error
        if (closing === null) faults.note('read', error.code)
      },
    )
  }

  const surface = createSurface<C>(engine, collections)
  const status = createLiveStatus(surface.status, () => ({
    connection: uplink.info().connection,
    reason: uplink.info().reason,
    isLevel: uplink.isLevel(),
    relays: uplink.relays(),
    user: uplink.user(),
    persistence: ports.persistence,
    storage: faults.code,
    clockOffsetMs: engine.clock.offsetMs(),
  }))
  const stops = [
    engine.onApplied(applied => {
      // What was written here and is not on the disk yet has not made the journal any longer.
      if (applied !== nothingApplied) housekeeping.note()
      marked.note()
      uplink.note()
    }),
    storage.onLost(loss => {
      const error = loss === 'dropped' ? dropped() : goneFrom(name)
      journal.giveUp(error)
      beOnItsOwn(error)
    }),
    storage.onOutage(heedOutage),
  ]
  const attendance = createAttendance({
    page,
    storage,
    engine,
    uplink,
    marked,
    holdings,
    housekeeping,
    faults,
    readJournal,
  })

  /**
   * The database is gone: deleted, or a newer version's now. Who opens one under its name must neither wait for this tab
   * nor hear of what was here; and what was written here does not come any further from here.
   */
  function beOnItsOwn(error: RejoinError): void {
    faults.note('lasting', error.code)
    attendance.leaveForGood()
    housekeeping.close()
    engine.refuse(error)
    settling.close(error)
  }

  function dropped(): RejoinError {
    const error = evictedError(countUnsent(engine.state))
    events.keep('evicted', error)
    return error
  }

  /** Whoever can store goes on meanwhile; what was written here waits. */
  function heedOutage(error: RejoinError | null): void {
    faults.note('outage', error?.code)
    attendance.look()
    if (error !== null) return
    readJournal()
    housekeeping.retry()
  }

  async function end(): Promise<void> {
    // Nothing that comes from now on is waited for.
    for (const stop of stops) stop()
    const open = { name, runtime, engine, surface, uplink, marked, housekeeping, settling, status }
    await closeParts({ ...open, attendance, events, holdings, storage })
  }

  const close = (): Promise<void> => (closing ??= end())
  try {
    if (holdings?.unclean === true) {
      // A log that is torn at its end must not be written behind (see journal/loss.ts). What fails here fails later too.
      await scrubLog(storage, runtime)
        .then(holdings.settle)
        .catch(() => {})
    }
    await Promise.all([journal.read(), uplink.begin()])
  } catch (error) {
    await close()
    throw error
  }
  uplink.start()
  if (record.evicted !== null) events.keep('evicted', record.evicted)
  const members: ReplicaMembers<C> = {
    transact: surface.transact,
    conflicts: surface.conflicts,
    quarantine: surface.quarantine,
    status,
    on: events.on,
    settled: settling.settled,
    pause: uplink.pause,
    resume: uplink.resume,
    close,
    [Symbol.asyncDispose]: close,
  }
  return Object.freeze({ ...surface.collections, ...members }) as Replica<C>
}
