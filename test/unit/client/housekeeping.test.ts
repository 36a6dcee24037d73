/** When a replica writes its pages, and when it tries again to store what could not be stored. */
import { createHousekeeping, type HousekeepingOptions } from '@rejoin/client'
import { RejoinError } from '@rejoin/core'
import { createSimulatedClock } from '@rejoin/testkit'
import { expect, test } from 'vitest'

type Engine = ReturnType<HousekeepingOptions['engine']>
type Compact = Engine['journal']['compact']

/** A replica whose journal holds so many megabytes, and is written to pages as it is told. */
function keeping(
  compact: (journal: { megabytes: number }) => ReturnType<Compact>,
  flush: Engine['journal']['flush'] = async () => {},
) {
  const clock = createSimulatedClock()
  const journal = { megabytes: 0 }
  const due: Engine['journal']['due'] = () => (journal.megabytes > 1 ? 'pages' : null)
  const engine = { journal: { due, flush, compact: () => compact(journal) } } as unknown as Engine
  const runtime = {
    after: (delayMs: number, run: () => void) => clock.after(delayMs, run),
    monotonic: () => clock.time,
  }
  const housekeeping = createHousekeeping({
    engine: () => engine,
    runtime,
    sessionFence: () => null,
    inTurn: run => run(),
  })
  return { clock, journal, housekeeping }
}

test('[P1] what comes while pages are written is written soon, also if nothing comes after it', async () => {
  const { clock, journal, housekeeping } = keeping(async journal => {
    await new Promise<void>(resolve => void clock.after(1000, resolve))
    journal.megabytes -= 2
    return 'pages'
  })
  journal.megabytes = 2
  housekeeping.note()
  await clock.advance(3500)
  journal.megabytes += 2
  housekeeping.note()
  await clock.advance(2000)
  expect(journal.megabytes).toBe(2)
  await clock.advance(120_000)
  expect(journal.megabytes).toBe(0)
  housekeeping.close()
})

test('[P1] who is taken over while it writes pages looks later whether that was done', async () => {
  let tries = 0
  const { clock, journal, housekeeping } = keeping(async journal => {
    if (++tries === 1) return 'fenced'
    journal.megabytes = 0
    return 'pages'
  })
  journal.megabytes = 2
  housekeeping.note()
  await clock.advance(10_000)
  expect(journal.megabytes).toBe(2)
  await clock.advance(120_000)
  expect(journal.megabytes).toBe(0)
  housekeeping.close()
})

test('[W1] what could not be stored is tried again at once, and ever more rarely while that fails', async () => {
  const error = new RejoinError('storage-closed', { reason: 'aborted' }, 'the transaction was aborted')
  const tries: number[] = []
  let isMended = false
  const { clock, housekeeping } = keeping(
    async () => 'nothing',
    async () => {
      tries.push(clock.time)
      if (!isMended) throw error
      housekeeping.fault(null)
    },
  )
  housekeeping.fault(error)
  await clock.advance(600_000)
  expect(tries[0]).toBeLessThan(500)
  expect(tries.filter(at => at < 60_000).length).toBeLessThan(10)
  expect(tries.filter(at => at > 120_000).length).toBeGreaterThan(5)
  isMended = true
  await clock.advance(60_000)
  const begun = clock.time
  isMended = false
  housekeeping.fault(error)
  await clock.advance(1000)
  expect(tries.some(at => at >= begun && at < begun + 500)).toBe(true)
  housekeeping.close()
})
