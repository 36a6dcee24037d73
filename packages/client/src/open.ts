/**
 * Opening a replica: storage, journal, surface, tabs and connection, in the order in which each can rely on the one
 * before; and closing it, in the order that loses nothing.
 *
 *   opening --> open -- leave / back (put away with its page) --> closing --> closed
 *                 \-- its store is gone --> on its own -----------^
 */
import { RejoinError, type DocumentKey, type ErrorCode, type Level, type TransactionId } from '@rejoin/core'
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
import { addressesOf, checkOptions } from './open-options.ts'
import type { ClientPorts, PageEvent } from './ports.ts'
import type { Replica, ReplicaEvents, ReplicaMembers, ReservedName } from './replica.ts'
import { createSettling } from './settling.ts'
import { countUnsent } from './status.ts'
import { createSurface } from './surface.ts'
import { copiesOf, quorumOf } from './quorum.ts'
import { createTextSupports } from './text-supports.ts'
import type { Token } from './token-source.ts'
import { createUplink } from './uplink.ts'

export interface OpenOptions<C extends Collections> {
  /** The unit of sharing: all replicas of a space come to the same. */
  readonly space: string
  /** Keeps the databases of several people on one device apart. */
  readonly account?: string | undefined
  readonly collections: C & { readonly [K in ReservedName | 'then']?: never }
  /** URLs of relays. None: a replica of its own. */
  readonly relays: readonly string[]
  /**
   * `failover`, unless stated: one relay at a time is used, the next one when it fails. `quorum`: all of them at once,
   * be they peers of each other or not.
   */
  readonly mode?: 'failover' | 'quorum' | undefined
  /** Of mode `quorum`: how many relays must have a write on their disks before it is at `quorum`. Most of them, unless stated. */
  readonly write?: number | undefined
  /** Of mode `quorum`: from how many relays everything must be here before the replica is `synced`. Likewise. */
  readonly read?: number | undefined
  /** Of mode `quorum`: must be said where `write` + `read` is not greater than the number of relays. */
  readonly unsafe?: boolean | undefined
  /** Says to a relay who this is. Asked when needed, and again when a relay does not take what it gave. */
  readonly token?: Token | undefined
  /** What people call this device. */
  readonly device?: string | undefined
  /** The level that a write must reach before the outbox lets go of it; in mode `quorum` that is `quorum`. */
  readonly level?: Level | undefined
  /** Names the database, in the place of account and space. It belongs to the space for which it was opened first. */
  readonly name?: string | undefined
  /** What is not to be the platform's own. */
  readonly ports?: Partial<ClientPorts> | undefined
}

/** How long each of the three steps of closing may wait for a store that does not answer. */
const closeStepMs = 600

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
  /** What stands in the way of own writes: for as long as this tab lives, at the last write, at the last look. */
  let lasting: ErrorCode | undefined = database.blocked?.code
  let storageFault: ErrorCode | undefined
  let readFault: ErrorCode | undefined
  let outage: ErrorCode | undefined
  let isPutAway = false
  let isPresent = true
  let closing: Promise<void> | null = null

  const supportOf = createTextSupports(collections)
  const engine = createEngine({
    name,
    replica,
    runtime,
    copies: copiesOf(options, quorum),
    levels: () => [
      // In memory that nobody chose, nothing is on this device's disk.
      ...(database.blocked === null ? (['local'] as const) : []),
      ...(options.relays.length === 0 ? [] : (uplink.levels ?? ['relay' as const])),
    ],
    awaitsLevels: () => options.relays.length > 0 && uplink.levels === undefined,
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
          storageFault = error?.code
          housekeeping.fault(error)
          status.look()
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
    sessionFence: () => uplink.sessionFence,
    inTurn: uplink.inTurn,
  })
  const settling = createSettling({
    never: options.relays.length === 0 ? unavailable('relay', ['local']) : null,
    isAllSent: () => engine.pending === 0,
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
    storageFault = known.code
    events.emit('unsaved', { id, error: known })
    status.look()
  }

  function readJournal(): void {
    journal.read().then(
      () => heedRead(undefined),
      (error: unknown) => {
        if (!(error instanceof RejoinError)) throw error
        if (closing === null) heedRead(error.code)
      },
    )
  }

  function heedRead(code: ErrorCode | undefined): void {
    if (readFault === code) return
    readFault = code
    status.look()
  }

  const surface = createSurface<C>(engine, collections)
  const status = createLiveStatus(surface.status, () => ({
    connection: uplink.info.connection,
    reason: uplink.info.reason,
    isLevel: uplink.isLevel,
    relays: uplink.relays,
    user: uplink.user,
    persistence: ports.persistence,
    storage: lasting ?? outage ?? storageFault ?? readFault,
    clockOffsetMs: engine.clock.offsetMs,
  }))
  const stops = [
    engine.onApplied(() => {
      housekeeping.note()
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
  let stopPage = page.on(heedPage)

  /**
   * The database is gone: deleted, or a newer version's now. Who opens one under its name must neither wait for this tab
   * nor hear of what was here; and what was written here does not come any further from here.
   */
  function beOnItsOwn(error: RejoinError): void {
    lasting = error.code
    letGoOfPage()
    isPutAway = true
    attend()
    holdings?.leave()
    housekeeping.close()
    journal.pause()
    engine.refuse(error)
    settling.close(error)
    status.look()
  }

  function dropped(): RejoinError {
    const error = evictedError(countUnsent(engine.state))
    events.keep('evicted', error)
    return error
  }

  /** Whoever can store goes on meanwhile; what was written here waits. */
  function heedOutage(error: RejoinError | null): void {
    outage = error?.code
    attend()
    if (error === null) {
      readJournal()
      housekeeping.retry()
    }
    status.look()
  }

  /** Talks to relays and other tabs while there is a page that does, and a store to put down what they say. */
  function attend(): void {
    const isToBe = !isPutAway && outage === undefined
    if (isToBe === isPresent) return
    isPresent = isToBe
    if (isToBe) uplink.back()
    else uplink.leave()
  }

  function letGoOfPage(): void {
    stopPage()
    stopPage = () => {}
  }

  function heedPage(event: PageEvent): void {
    switch (event) {
      case 'leave':
        isPutAway = true
        marked.leave()
        holdings?.leave()
        attend()
        return journal.pause()
      case 'back':
        isPutAway = false
        engine.renewWriter()
        holdings?.back()
        attend()
        journal.resume().catch(() => {})
        return
      case 'visible':
        storage.retry()
        readJournal()
        housekeeping.retry()
        return uplink.nudge()
      case 'online':
        return uplink.nudge()
      case 'hidden':
        return
    }
  }

  async function end(): Promise<void> {
    // Nothing that comes from now on is waited for; what was typed and written is stored first.
    for (const stop of stops) stop()
    await within(surface.written)
    await within(journal.flush)
    // Not before: who closes it because the page goes away has it handed over at once by that.
    letGoOfPage()
    marked.leave()
    const released = uplink.close()
    housekeeping.close()
    const error = new RejoinError('closed', { what: name }, `the replica ${name} was closed; open it again`)
    engine.close()
    surface.close()
    settling.close(error)
    status.close()
    // A store that does not answer holds the journal up; its channel and its storage go all the same.
    journal.pause()
    await within(() => released)
    await within(journal.close)
    // What there was no room for until the end is told, too.
    events.close()
    holdings?.close()
    storage.close()
  }

  /** Whatever it does ends, or is left to itself after a while. */
  async function within(run: () => Promise<void>): Promise<void> {
    let cancel = (): void => {}
    const late = new Promise<void>(resolve => {
      cancel = runtime.after(closeStepMs, resolve)
    })
    await Promise.race([run().catch(() => {}), late])
    cancel()
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

function damagedError(document: DocumentKey): RejoinError<'storage-damaged'> {
  const message = `what this device stored of ${document} cannot be read; a relay is asked for it`
  return new RejoinError('storage-damaged', { document }, message)
}

function goneFrom(name: string): RejoinError<'storage-closed'> {
  const reason = 'the browser or another tab took the database away'
  return new RejoinError('storage-closed', { reason }, `${name}: ${reason}; open the replica again`)
}
