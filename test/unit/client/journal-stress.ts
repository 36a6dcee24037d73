/**
 * Random histories of a few tabs that write, read, fold, compact, crash in the middle of it and come back. After each,
 * every tab and a fresh one hold what the replay of everything acknowledged makes.
 */
import { rowExists, type DocumentKey, type OpenStorage, type Transaction } from '@rejoin/core'
import {
  acknowledged,
  alice,
  bob,
  body,
  contentOf,
  createReplica,
  key,
  markAt,
  own,
  pulled,
  rowWith,
  runtime,
  tombstone,
  type Replica,
  type Tab,
} from './journal-tabs.ts'

export interface Act {
  readonly tab: number
  readonly kind:
    | 'write'
    | 'pull'
    | 'acknowledge'
    | 'delete'
    | 'forget'
    | 'read'
    | 'fold'
    | 'compact'
    | 'crash'
    | 'leave'
  /** Says which row, which step of a compaction to crash at, and whether to wait for it. */
  readonly dice: number
}

export interface Ended {
  readonly tabs: readonly unknown[]
  readonly fresh: unknown
  readonly expected: unknown
  /** Updates of texts that a fresh tab does not find, of documents that were never forgotten. */
  readonly lostUpdates: readonly string[]
  readonly compactions: number
  readonly crashes: number
}

interface Seat {
  tab: Tab
  /** How many steps of compactions until the tab crashes. */
  stepsLeft: number
}

const tabCount = 3

export async function runHistory(
  openStorage: OpenStorage,
  name: string,
  acts: readonly Act[],
): Promise<Ended> {
  const replica = createReplica(openStorage, runtime, name)
  const seats: Seat[] = []
  const flying = new Set<Promise<unknown>>()
  const counts = { compactions: 0, crashes: 0 }
  let serial = 0

  for (let i = 0; i < tabCount; i++) seats.push(await sit(replica, i))

  async function compact(seat: Seat, at: number, force: 'fold' | 'pages'): Promise<void> {
    try {
      const result = await seat.tab.journal.compact(force)
      if (result === force) counts.compactions += 1
    } catch (error) {
      if (!(error instanceof Crash)) throw error
      counts.crashes += 1
      // A crashed tab is gone: whatever it held was in the store, or was not acknowledged.
      const lost = seat.tab
      const next = await sit(replica, at)
      seat.tab = next.tab
      seat.stepsLeft = next.stepsLeft
      lost.journal.pause()
    }
  }

  function perform({ tab: at, kind, dice }: Act): Promise<unknown> {
    const seat = seats[at % tabCount]
    if (seat === undefined) return Promise.resolve()
    const { tab } = seat
    serial += 1
    const writer = at % 2 === 0 ? alice : bob
    const mark = markAt(serial, writer)
    const target = key(dice % 12)
    switch (kind) {
      case 'write':
        return replica.write(tab, own(serial, [[target, rowWith(`own ${serial}`, mark)]], writer))
      case 'pull': {
        const texts =
          dice % 4 === 0
            ? [{ key: target, part: body, update: Uint8Array.of(serial & 255, serial >> 8) }]
            : []
        const rows = Array.from({ length: 1 + (dice % 3) }, (_, i) => key((dice + i * 5) % 12))
        return replica.append(
          tab,
          pulled(
            rows.map(changed => [changed, rowWith(`pulled ${serial}`, mark)]),
            { cut: serial, texts },
          ),
        )
      }
      case 'acknowledge':
        return replica.append(tab, acknowledged(someOf(tab.state.outbox, dice).map(({ id }) => id)))
      case 'delete':
        return replica.append(tab, pulled([[target, tombstone(mark)]], { cut: serial }))
      case 'forget': {
        const keys = [...tab.state.rows].filter(([, row]) => !rowExists(row)).map(([gone]) => gone)
        return keys.length === 0 ? Promise.resolve() : replica.append(tab, { kind: 'forgotten', keys })
      }
      case 'read':
        return tab.journal.read()
      case 'fold':
        return compact(seat, at, 'fold')
      case 'compact':
        return compact(seat, at, 'pages')
      case 'crash':
        seat.stepsLeft = 1 + (dice % 7)
        return compact(seat, at, dice % 3 === 0 ? 'fold' : 'pages')
      case 'leave':
        return sit(replica, at).then(next => {
          seat.tab.journal.pause()
          seat.tab = next.tab
          seat.stepsLeft = next.stepsLeft
        })
    }
  }

  for (const act of acts) {
    const done = perform(act)
    flying.add(done)
    void done.finally(() => flying.delete(done)).catch(() => {})
    // Two in three acts wait for the end of what is going on; the others overlap with what comes next.
    if (act.dice % 3 !== 0) await Promise.all(flying)
  }
  await Promise.all(flying)
  for (const seat of seats) await seat.tab.journal.read()
  const fresh = await replica.open()
  return {
    tabs: seats.map(({ tab }) => contentOf(tab.state)),
    fresh: contentOf(fresh.state),
    expected: replica.replay(),
    lostUpdates: await findLostUpdates(replica, fresh),
    ...counts,
  }
}

class Crash extends Error {}

async function sit(replica: Replica, at: number): Promise<Seat> {
  const seat: Seat = {
    tab: undefined as unknown as Tab,
    stepsLeft: Infinity,
  }
  seat.tab = await replica.open({
    // The third one misses every message.
    isDeaf: at % tabCount === 2,
    step: async () => {
      seat.stepsLeft -= 1
      if (seat.stepsLeft === 0) throw new Crash('crashed')
    },
  })
  return seat
}

/** Of each body all that came is there, and nothing of before its document was forgotten (SPEC D2). */
async function findLostUpdates(replica: Replica, tab: Tab): Promise<readonly string[]> {
  const came = new Map<DocumentKey, Set<string>>()
  for (const [, chunk] of [...replica.log].sort(([a], [b]) => a - b)) {
    if (chunk.kind === 'forgotten') for (const gone of chunk.keys) came.set(gone, new Set())
    if (chunk.kind !== 'pulled') continue
    for (const { key: document, update } of chunk.texts)
      came.set(document, (came.get(document) ?? new Set()).add(update.join()))
  }
  const differing: string[] = []
  for (const [document, updates] of came) {
    const held = new Set((await tab.journal.readBody(document, body)).map(update => update.join()))
    for (const one of updates) if (!held.has(one)) differing.push(`${document} lacks ${one}`)
    for (const one of held) if (!updates.has(one)) differing.push(`${document} has ${one} of before`)
  }
  return differing
}

function someOf(outbox: ReadonlyMap<unknown, Transaction>, dice: number): readonly Transaction[] {
  return [...outbox.values()].filter((_, i) => (i + dice) % 2 === 0).slice(0, 3)
}
