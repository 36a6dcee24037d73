/**
 * Whether an open replica talks to relays and other tabs: while there is a page that does, and a store to put down what
 * they say.
 *
 *   there -- leave / back (put away with its page) --> away
 *     \-- an outage of its store / its end -----------> away
 *      \-- its store is gone -------------------------> away, for good
 */
import type { Engine } from './engine.ts'
import type { Housekeeping } from './housekeeping.ts'
import type { Holdings } from './journal/holdings.ts'
import type { MarkedReplica } from './marker-record.ts'
import type { ClientPorts, PageEvent } from './ports.ts'
import type { StorageFaults } from './storage-faults.ts'
import type { ReopeningStorage } from './storage/reopening.ts'
import type { Uplink } from './uplink.ts'

export interface Attendance {
  /** An outage of the store began or ended. */
  look(): void
  /** What its page does is nothing to it any more. */
  letGoOfPage(): void
  leaveForGood(): void
}

export interface AttendanceOptions {
  readonly page: ClientPorts['page']
  readonly storage: Pick<ReopeningStorage, 'retry'>
  readonly engine: Pick<Engine, 'journal' | 'renewWriter'>
  readonly uplink: Pick<Uplink, 'leave' | 'back' | 'nudge'>
  readonly marked: Pick<MarkedReplica, 'leave'>
  readonly holdings: Pick<Holdings, 'leave' | 'back'> | null
  readonly housekeeping: Pick<Housekeeping, 'retry'>
  readonly faults: Pick<StorageFaults, 'isOut'>
  readonly readJournal: () => void
}

export function createAttendance(options: AttendanceOptions): Attendance {
  const { engine, uplink, marked, holdings, housekeeping } = options
  const { journal } = engine
  let isPutAway = false
  let isThere = true

  function look(): void {
    const isToBe = !isPutAway && !options.faults.isOut
    if (isToBe === isThere) return
    isThere = isToBe
    if (isToBe) uplink.back()
    else uplink.leave()
  }

  function heed(event: PageEvent): void {
    switch (event) {
      case 'leave':
        isPutAway = true
        marked.leave()
        holdings?.leave()
        look()
        return journal.pause()
      case 'back':
        isPutAway = false
        engine.renewWriter()
        holdings?.back()
        look()
        journal.resume().catch(() => {})
        return
      case 'visible':
        options.storage.retry()
        options.readJournal()
        housekeeping.retry()
        return uplink.nudge()
      case 'online':
        return uplink.nudge()
      case 'hidden':
        return
    }
  }

  let stopPage = options.page.on(heed)

  function letGoOfPage(): void {
    stopPage()
    stopPage = () => {}
  }

  return {
    look,
    letGoOfPage,
    leaveForGood() {
      letGoOfPage()
      isPutAway = true
      look()
      holdings?.leave()
      journal.pause()
    },
  }
}
