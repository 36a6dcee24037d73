/**
 * A hostile client: a raw session of a user who may write, and who forges marks, contexts, deletions, texts and what it
 * gives back. All that it sends here is beyond what it has the right to change, so all of it must be refused (SPEC T1,
 * T2, X3, X5, C4).
 */
import {
  contextOfCell,
  createDictionary,
  decodeFrame,
  encodeFrame,
  joinRows,
  writerFromBytes,
  type DocumentKey,
  type Frame,
  type Mark,
  type Row,
  type StoreId,
} from '@rejoin/core'
import type { Application } from './application/application.ts'
import { hostileName, type Cluster } from './cluster.ts'
import { forgeries, type Forgery } from './forgeries.ts'
import { helloWith } from './hello.ts'
import type { SimulatedRelay } from './relay.ts'
import { createScope } from './scope.ts'

export interface Hostile {
  /** Tries something. Whether it found something to try. */
  strike(): Promise<boolean>
}

const minuteMs = 60_000

export function createHostile(cluster: Cluster, applications: readonly Application[]): Hostile {
  const { chance, clock, network, epoch } = cluster

  async function strike(): Promise<boolean> {
    const relay = chance.pick(cluster.relays)
    if (!relay.alive) return false
    const application = applications[applications.length === 1 ? 0 : chance.below(applications.length)]
    if (application === undefined) return false
    const { space } = application
    const rows = await rowsOf(relay, space)
    if (rows.length === 0) return false
    const [key, row] = chance.pick(rows)
    const victims = marksOf(row)
    if (victims.length === 0) return false
    const victim = chance.pick(victims)
    // T4: who judges may have been put back to an older image, and not heard of the victim again yet.
    const [record] = await judgeFor(relay).store.writers(space, [victim.writer])
    if (record === undefined || record.user === hostileName) return false
    const now = epoch + clock.time
    // By the relay's clock that is ahead of all, since some write by that, and nearly as far as any mark may be (C4): what
    // is older than what is there is taken whatever it holds, and changes nothing (SPEC A4), and what is named is known. Where
    // all of them are behind, devices write by the right time, which is taken once a relay's clock is set right.
    const aheadMs = Math.max(0, ...cluster.relays.map(({ skewMs }) => skewMs))
    const soon = Math.floor(now + aheadMs) + 5 * minuteMs - 1000
    const own: Mark = {
      ms: Math.max(soon, latest(row) + 1),
      tick: 0,
      writer: writerFromBytes(chance.bytes(8)),
    }
    const ahead: Mark = {
      ms: Math.max(soon, record.highest.ms + 1, latest(row) + 1),
      tick: 0,
      writer: victim.writer,
    }
    // Also where the relay's own clock is an hour ahead.
    const future = now + 120 * minuteMs
    const forgery = chance.pick(forgeries(key, own, { ahead, known: record.highest }, victim, future))
    attempt(relay, application, forgery)
    return true
  }

  function attempt(relay: SimulatedRelay, { space, findings }: Application, { name, frame }: Forgery): void {
    const { url, skewMs } = relay
    const begun = clock.time
    const scope = createScope(clock)
    const hello = helloWith({
      space,
      token: hostileName,
      // A store's id looks like a writer's.
      replica: String(writerFromBytes(chance.bytes(8))) as StoreId,
      device: hostileName,
    })
    const names = createDictionary()
    clock.after(5000, () => scope.kill())
    network.connectFrom(hostileName, scope)(url, {
      opened(link) {
        link.send(encodeFrame(hello))
        link.send(encodeFrame({ type: 'range', ranges: [] }))
        link.send(encodeFrame(frame))
        scope.onKill(() => link.close())
      },
      frame(bytes) {
        const decoded = decodeFrame(bytes, names)
        // An older image may not know the victim, and by another clock others may write what is newer.
        if (judgeFor(relay).restoredAt >= begun || relay.skewMs !== skewMs) return
        if (!decoded.ok || isRefusal(decoded.value)) return
        void isOvertaken(judgeFor(relay), space, frame).then(isOld => {
          if (!isOld) findings.push(`[T1] ${url} took ${name}`)
        })
      },
      closed: () => {},
    })
  }

  return { strike }

  /** Q2: what is sent to a follower its leader judges. */
  function judgeFor(relay: SimulatedRelay): SimulatedRelay {
    const { judges } = cluster
    return judges.includes(relay) ? relay : (judges[0] ?? relay)
  }

  /** A4: from a relay whose clock is ahead may have come what is newer than all that was forged, which changes nothing then. */
  async function isOvertaken(
    { store }: SimulatedRelay,
    space: string,
    frame: Forgery['frame'],
  ): Promise<boolean> {
    const [forged] =
      frame.type === 'give'
        ? frame.rows
        : frame.transactions.flatMap(({ writes }) => writes.map(({ key, delta }) => ({ key, row: delta })))
    if (forged === undefined) return false
    const row = (await store.rows(space, [forged.key])).get(forged.key)?.row
    return row !== undefined && joinRows(row, forged.row) === row && latest(row) > latest(forged.row)
  }

  async function rowsOf(relay: SimulatedRelay, space: string): Promise<(readonly [DocumentKey, Row])[]> {
    const rows: (readonly [DocumentKey, Row])[] = []
    for await (const slice of relay.store.all(space))
      for (const { key, held } of slice) if (/^(notes|drafts|plans)/.test(key)) rows.push([key, held.row])
    return rows
  }
}

/** Whether an answer is no acceptance of what was sent. */
function isRefusal(frame: Frame): boolean {
  if (frame.type === 'verdict') return frame.exceptions.some(({ kind }) => kind === 'refused')
  return frame.type !== 'given' || frame.refused.length > 0
}

function marksOf(row: Row): readonly Mark[] {
  return [...row.cells.values()].flatMap(cell => [...contextOfCell(cell).values()])
}

function latest(row: Row): number {
  return Math.max(0, ...marksOf(row).map(({ ms }) => ms), row.deletion?.mark.ms ?? 0, row.revival?.ms ?? 0)
}
