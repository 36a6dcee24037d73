/**
 * What is typed into a live document, gathered until it is taken. Yjs would encode an update for each transaction, of
 * which a tick may hold hundreds; here is noted what they span, and it is encoded once.
 *
 * The invariant: between the clocks that are noted lies what was typed and nothing from elsewhere, since what comes from
 * there ends what was gathered before it.
 */
import * as Y from 'yjs'
import { joinDeleteSets, type ClockRange, type DeleteSet } from '../screen/delete-set.ts'
import { writeDeletes } from '../screen/write.ts'
import { writeVarUint } from 'lib0/encoding'
import { elsewhere } from './live.ts'

export interface Edits {
  /** Takes note of a transaction that is over. Whether it is the first since all was taken that typed anything. */
  note(transaction: Y.Transaction): boolean
  /** What was typed since it was asked last, as few updates in their order. */
  take(): readonly Uint8Array[]
}

/** Transactions that followed each other: what clocks they span, and what they deleted. */
interface Span {
  readonly store: Y.Doc['store']
  readonly from: ReadonlyMap<number, number>
  to: ReadonlyMap<number, number>
  readonly deletes: Y.Transaction['deleteSet'][]
}

export function createEdits(): Edits {
  let ended: Uint8Array[] = []
  let span: Span | null = null

  function end(): void {
    if (span !== null) ended.push(encodeSpan(span))
    span = null
  }

  return {
    note({ doc, origin, beforeState, afterState, deleteSet }) {
      if (origin === elsewhere) {
        end()
        return false
      }
      const isFirst = span === null
      if (span === null) {
        if (deleteSet.clients.size === 0 && !hasGrown(beforeState, afterState)) return false
        span = { store: doc.store, from: beforeState, to: afterState, deletes: [] }
      }
      span.to = afterState
      if (deleteSet.clients.size > 0) span.deletes.push(deleteSet)
      return isFirst && ended.length === 0
    },
    take() {
      end()
      const taken = ended
      ended = []
      return taken
    },
  }
}

function hasGrown(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): boolean {
  for (const [client, clock] of after) if (clock !== before.get(client)) return true
  return false
}

function encodeSpan({ store, from, to, deletes }: Span): Uint8Array {
  const encoder = new Y.UpdateEncoderV1()
  const grown = [...to].filter(([client, clock]) => clock > (from.get(client) ?? 0))
  writeVarUint(encoder.restEncoder, grown.length)
  for (const [client, end] of grown.sort(([a], [b]) => b - a)) {
    const structs = store.clients.get(client) ?? []
    const clock = from.get(client) ?? 0
    const first = Y.findIndexSS(structs, clock)
    const last = Y.findIndexSS(structs, end - 1)
    writeVarUint(encoder.restEncoder, last - first + 1)
    encoder.writeClient(client)
    writeVarUint(encoder.restEncoder, clock)
    for (let i = first; i <= last; i++) {
      const struct = structs[i]
      struct?.write(encoder, i === first ? clock - struct.id.clock : 0)
    }
  }
  writeDeletes(encoder.restEncoder, joinDeleteSets(deletes.map(rangesOf)))
  return encoder.toUint8Array()
}

function rangesOf({ clients }: Y.Transaction['deleteSet']): DeleteSet {
  const ranges = new Map<number, readonly ClockRange[]>()
  for (const [client, items] of clients)
    ranges.set(
      client,
      items.map(({ clock, len }) => ({ clock, length: len })),
    )
  return ranges
}
