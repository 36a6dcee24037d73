/** A state in one chunk, but for its rows: what stands for all chunks up to the floor of the journal (SPEC P1). */
import type { SnapshotChunk } from '../chunk.ts'
import type { Applying } from './apply-chunk.ts'
import { introduce, learn } from './knowledge.ts'
import type { Layers } from './layers.ts'

/** So many openings of tabs are remembered as this replica's. */
const ownMax = 4096

export function snapshotOf({ layers, knowledge }: Applying): SnapshotChunk {
  const {
    cursors,
    frontier,
    reach,
    generations,
    newest,
    met,
    noted,
    wants,
    writers,
    quarantine,
    retired,
    remade,
    remadeMarks,
    strangers,
  } = knowledge
  return {
    kind: 'snapshot',
    cursors: new Map(cursors),
    frontier,
    reach,
    generations: [...generations.values()],
    newest: new Map(newest),
    fingerprint: layers.countFingerprint(),
    met: new Map(met),
    copies: noted,
    wants: new Map(wants),
    writers: [...writers.values()],
    outbox: [...layers.outbox.entries()]
      .filter(entry => entry.position > 0)
      .map(entry => ({
        transaction: entry.transaction,
        position: entry.position,
        acks: [...entry.acks].map(([store, ack]) => ({ store, ...ack })),
        refusedBy: [...entry.refusedBy],
      })),
    quarantine: [...quarantine.values()],
    own: [...layers.own].slice(-ownMax),
    retired: new Map(retired),
    remade: remade.all(),
    remadeMarks: remadeMarks.all(),
    strangers: [...strangers].slice(-ownMax),
  }
}

export function takeSnapshot({ layers, knowledge }: Applying, chunk: SnapshotChunk): void {
  knowledge.cursors.clear()
  knowledge.wants.clear()
  knowledge.met.clear()
  for (const [address, store] of chunk.met) knowledge.met.set(address, store)
  for (const [store, keys] of chunk.wants) knowledge.wants.set(store, keys)
  knowledge.noted = chunk.copies
  knowledge.newest.clear()
  knowledge.retired.clear()
  knowledge.revision += 1
  for (const [store, cursor] of chunk.cursors) knowledge.cursors.set(store, cursor)
  for (const [store, generation] of chunk.newest) knowledge.newest.set(store, generation)
  learn(knowledge, chunk.generations)
  for (const record of chunk.writers) introduce(knowledge, record)
  for (const writer of chunk.strangers) if (!knowledge.writers.has(writer)) knowledge.strangers.add(writer)
  for (const writer of chunk.own) layers.own.add(writer)
  for (const [writer, position] of chunk.retired) knowledge.retired.set(writer, position)
  knowledge.remade.replace(chunk.remade)
  knowledge.remadeMarks.replace(chunk.remadeMarks)
  knowledge.frontier = chunk.frontier
  knowledge.reach = chunk.reach
  layers.takeFingerprint(chunk.fingerprint)
  knowledge.quarantine.clear()
  for (const held of chunk.quarantine) knowledge.quarantine.set(held.transaction.id, held)
  takeOutbox(layers, chunk.outbox)
}

/** The order of the outbox is the snapshot's; what is not on disk yet comes last. */
function takeOutbox({ outbox, enter }: Layers, held: SnapshotChunk['outbox']): void {
  const unwritten = [...outbox.entries()].filter(entry => entry.position === 0)
  const entries = held.map(({ transaction, position, acks, refusedBy }) => ({
    transaction,
    position,
    acks: new Map(acks.map(({ store, ...ack }) => [store, ack])),
    refusedBy: new Set(refusedBy),
  }))
  // Before the others change places, as long as what they touch is told apart from what is confirmed.
  for (const entry of entries) if (outbox.get(entry.transaction.id) === undefined) enter(entry)
  for (const { transaction } of entries) outbox.remove(transaction.id)
  for (const entry of entries) outbox.put(entry)
  for (const entry of unwritten) {
    if (outbox.get(entry.transaction.id)?.position !== 0) continue
    outbox.remove(entry.transaction.id)
    outbox.put(entry)
  }
}
