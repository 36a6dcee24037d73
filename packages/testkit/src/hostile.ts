/**
 * A hostile client: a raw session of a user who may write, and who forges marks, contexts, deletions, texts and what it
 * gives back. All that it sends here is beyond what it has the right to change, so all of it must be refused (SPEC T1,
 * T2, X3, X5, C4).
 */
import {
  contextOfCell,
  decodeFrame,
  emptyRow,
  encodeFrame,
  encodeValue,
  keyOfBytes,
  noTexts,
  nothingReplaced,
  partName,
  protocolVersion,
  writerFromBytes,
  yjsClientOf,
  type Cell,
  type DocumentKey,
  type Frame,
  type GiveFrame,
  type HelloFrame,
  type Mark,
  type PartName,
  type Row,
  type StoreId,
  type SubmitFrame,
  type Write,
} from '@rejoin/core'
import type { Application } from './application/application.ts'
import { hostileName, type Cluster } from './cluster.ts'
import type { SimulatedRelay } from './relay.ts'
import { simulatedCollections } from './schema.ts'
import { createScope } from './scope.ts'

export interface Hostile {
  /** Tries something. Whether it found something to try. */
  strike(): Promise<boolean>
}

interface Forgery {
  readonly name: string
  readonly frame: SubmitFrame | GiveFrame
}

const minuteMs = 60_000
const [color, title, tags, body] = [
  partName('lww', 'color'),
  partName('ask', 'title'),
  partName('set', 'tags'),
  partName('text', 'body'),
] as const

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
    const [record] = await relay.store.writers(space, [victim.writer])
    if (record === undefined || record.user === hostileName) return false
    const now = epoch + clock.time
    const own: Mark = {
      ms: Math.max(now, latest(row) + 1),
      tick: 0,
      writer: writerFromBytes(chance.bytes(8)),
    }
    const ahead: Mark = {
      ms: Math.max(now + 4 * minuteMs, record.highest.ms + 1, latest(row) + 1),
      tick: 0,
      writer: victim.writer,
    }
    // Also where the relay's own clock is an hour ahead.
    const future = now + 120 * minuteMs
    const forgery = chance.pick(forgeries(key, own, ahead, victim, future))
    attempt(relay, application, forgery)
    return true
  }

  function attempt(relay: SimulatedRelay, { space, findings }: Application, { name, frame }: Forgery): void {
    const { url } = relay
    const begun = clock.time
    const scope = createScope(clock)
    const hello: HelloFrame = {
      type: 'hello',
      protocol: protocolVersion,
      space,
      token: hostileName,
      // A store's id looks like a writer's.
      replica: String(writerFromBytes(chance.bytes(8))) as StoreId,
      device: hostileName,
      role: 'client',
      cursors: [],
      empty: true,
      frontier: new Map(),
      reach: new Map(),
      level: 'relay',
      credit: 0,
    }
    clock.after(5000, () => scope.kill())
    network.connectFrom(hostileName, scope)(url, {
      opened(link) {
        link.send(encodeFrame(hello))
        link.send(encodeFrame({ type: 'range', ranges: [] }))
        link.send(encodeFrame(frame))
        scope.onKill(() => link.close())
      },
      frame(bytes) {
        const decoded = decodeFrame(bytes)
        // An older image may not know the victim.
        if (relay.restoredAt >= begun) return
        if (decoded.ok && !isRefusal(decoded.value)) findings.push(`[T1] ${url} took ${name}`)
      },
      closed: () => {},
    })
  }

  return { strike }

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

function forgeries(
  key: DocumentKey,
  own: Mark,
  ahead: Mark,
  victim: Mark,
  future: number,
): readonly Forgery[] {
  const value = encodeValue('forged')
  const client = yjsClientOf(victim.writer)
  const update = simulatedCollections.notes.fields.body.text?.create('forged', client) ?? null
  const beyond: Mark = { ...own, ms: future }
  const submits: readonly (readonly [string, Write])[] = [
    ['a context that names what nobody wrote', write(key, own, cells(title, ask(own, value, ahead)))],
    ['a removal of what nobody has added yet', write(key, own, cells(tags, removal(own, value, ahead)))],
    ['a deletion that saw what nobody wrote', write(key, own, deletion(own, ahead))],
    [
      'a value under a mark of somebody else',
      write(key, own, cells(color, { strategy: 'lww', last: ahead, value })),
    ],
    [
      'a write of a writer of somebody else',
      write(key, ahead, cells(color, { strategy: 'lww', last: ahead, value })),
    ],
    ['a revival from the future', write(key, beyond, { ...emptyRow, revival: beyond })],
    ['a value from the future', write(key, beyond, cells(color, { strategy: 'lww', last: beyond, value }))],
    ['a text without its updates', write(key, own, cells(body, textCell(own)))],
    ['a text of somebody else', write(key, own, cells(body, textCell(own)), update)],
  ]
  const given = cells(color, { strategy: 'lww', last: beyond, value })
  const nobody = cells(title, { strategy: 'ask', siblings: [], context: new Map() })
  const gives: readonly (readonly [string, Row])[] = [
    ['a row from the future that is given back', given],
    ['a cell of nobody that is given back', nobody],
  ]
  return [
    ...submits.map(
      ([name, one]): Forgery => ({
        name,
        frame: { type: 'submit', round: 0, first: 0, transactions: [{ writes: [one], preconditions: [] }] },
      }),
    ),
    ...gives.map(
      ([name, row]): Forgery => ({
        name,
        frame: { type: 'give', rows: [{ key, row, texts: noTexts }] },
      }),
    ),
  ]
}

function write(key: DocumentKey, mark: Mark, delta: Row, update: Uint8Array | null = null): Write {
  const texts = update === null ? noTexts : new Map([[body, [update]]])
  return { mark, key, delta, texts, replaced: nothingReplaced, whole: false }
}

function cells(part: PartName, cell: Cell): Row {
  return { ...emptyRow, cells: new Map([[part, cell]]) }
}

function ask(mark: Mark, value: Uint8Array, seen: Mark): Cell {
  const context = new Map([
    [mark.writer, mark],
    [seen.writer, seen],
  ])
  return { strategy: 'ask', siblings: [{ mark, value, base: null, answers: null }], context }
}

function removal(mark: Mark, value: Uint8Array, removed: Mark): Cell {
  const elements = new Map([[keyOfBytes(value), { value, added: null, removed }]])
  return { strategy: 'set', elements, context: new Map([[mark.writer, mark]]) }
}

function textCell(mark: Mark): Cell {
  return { strategy: 'text', context: new Map([[mark.writer, mark]]) }
}

function deletion(mark: Mark, seen: Mark): Row {
  const context = new Map([[seen.writer, seen]])
  return {
    ...emptyRow,
    deletion: { mark, policy: 'edit-wins', seen: new Map([[title, { kind: 'context', context }]]) },
  }
}

function marksOf(row: Row): readonly Mark[] {
  return [...row.cells.values()].flatMap(cell => [...contextOfCell(cell).values()])
}

function latest(row: Row): number {
  return Math.max(0, ...marksOf(row).map(({ ms }) => ms), row.deletion?.mark.ms ?? 0, row.revival?.ms ?? 0)
}
