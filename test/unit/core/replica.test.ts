// A client's state as a function of its journal: two layers, and what moves between them.
import {
  createReplicaState,
  documentKey,
  emptyFingerprint,
  emptyRow,
  joinRows,
  replaceInFingerprint,
  rowExists,
} from '@rejoin/core'
import type { Chunk, PulledChunk, ReplicaState, Row, StoreId, Transaction, VerdictsChunk } from '@rejoin/core'
import { describe, expect, test } from 'vitest'
import { contentOf, createTab, generation, isFingerprintRight, keys, relay } from './chunk-history.ts'
import { color, deltaOf, markOf, textOf, type Edit } from './edits.ts'
import { pulledChunk } from './chunks.ts'
import { refused, taken, verdictOn } from './verdict-chunks.ts'

const [note, other] = keys as [(typeof keys)[number], (typeof keys)[number]]
const insert: Edit = { kind: 'insert', value: 'red', element: 'x' }
const recolor: Edit = { kind: 'color', value: 'teal' }

interface Scene {
  readonly state: ReplicaState
  /** Alice writes; visible, and on her disk. */
  edits(...edits: readonly Edit[]): Transaction
  pulls(delta: Row): void
  answers(
    transaction: Transaction,
    outcome: VerdictsChunk['verdicts'][number]['outcome'],
    store?: StoreId,
  ): void
}

function createScene(): Scene {
  const state = createReplicaState()
  const tab = createTab(state)
  const append = (chunk: Chunk): void => void state.apply(state.seen + 1, chunk)
  return {
    state,
    edits(...edits) {
      const transaction = tab.write(edits.map(edit => [0, edit]))
      state.write(transaction)
      append({ kind: 'own', transactions: [transaction] })
      return transaction
    },
    pulls: delta => append(pulledRow(delta)),
    answers(transaction, outcome, store = relay) {
      const verdicts = [{ id: transaction.id, outcome }]
      append({ kind: 'verdicts', store, generation, position: 7, cut: false, verdicts, wants: [] })
    },
  }
}

function pulledRow(delta: Row, parts = 0): PulledChunk {
  return pulledChunk(relay, { rows: [{ key: note, delta, parts, texts: new Map() }] })
}

function colorOf(row: Row | undefined): string | undefined {
  const cell = row?.cells.get(color)
  return cell?.strategy === 'lww' ? textOf(cell.value) : undefined
}

describe('the two layers', () => {
  test('[W1] a write is visible when the call returns, and confirmed by nobody', () => {
    const state = createReplicaState()
    const transaction = createTab(state).write([[0, insert]])
    expect([...state.write(transaction).changed]).toEqual([note])
    expect(rowExists(state.visible(note))).toBe(true)
    expect(state.confirmed(note)).toBeUndefined()
    expect(state.fingerprint.count).toBe(0)
  })

  test('[W1, L1] what is not on disk yet stays out of a snapshot, and then stands before what its writer made later', () => {
    const state = createReplicaState()
    const tab = createTab(state)
    const [early, late] = [tab.write([[0, insert]]), tab.write([[1, insert]])]
    state.write(early)
    state.write(late)
    state.apply(1, { kind: 'own', transactions: [late] })
    expect(state.snapshot().outbox.map(({ transaction }) => transaction.id)).toEqual([late.id])
    state.apply(2, { kind: 'own', transactions: [early] })
    expect([...state.outbox.entries()].map(entry => entry.transaction.id)).toEqual([early.id, late.id])
  })

  test('[L2] an acknowledged write is confirmed, leaves the outbox, and changes nothing that shows', () => {
    const alice = createScene()
    const transaction = alice.edits(insert)
    const before = contentOf(alice.state.visible(note))
    alice.answers(transaction, taken)
    expect(contentOf(alice.state.confirmed(note))).toBe(before)
    expect(contentOf(alice.state.visible(note))).toBe(before)
    expect(alice.state.outbox.size).toBe(0)
  })

  test('[P1] a verdict of a commit that held nothing else moves the cursor too: nobody is sent back what they wrote', () => {
    const state = createReplicaState()
    const verdict: Chunk = {
      kind: 'verdicts',
      store: relay,
      generation,
      position: 7,
      cut: true,
      verdicts: [],
      wants: [],
    }
    state.apply(1, verdict)
    expect(state.cursors.get(relay)).toEqual({ generation, cut: 7, place: 7 })
    state.apply(2, { ...verdict, position: 8, cut: false })
    expect(state.cursors.get(relay)).toEqual({ generation, cut: 7, place: 7 })
  })

  test('[L2] an acknowledged write that is not on this disk yet stays until it is', () => {
    const state = createReplicaState()
    const transaction = createTab(state).write([[0, insert]])
    state.write(transaction)
    state.apply(1, verdictOn(transaction, taken))
    expect(state.outbox.size).toBe(1)
  })

  test('[L2] no refusal by another relay takes out what one has acknowledged; it is told', () => {
    const alice = createScene()
    const [, edit] = [alice.edits(insert), alice.edits(recolor)]
    // Kept, as if a level beyond this relay were wanted: the confirmed layer of another tab does not show it yet.
    const entry = alice.state.outbox.get(edit.id)
    const acks = new Map([[relay, { generation, position: 7 }]])
    if (entry !== undefined) alice.state.outbox.put({ ...entry, acks })
    alice.answers(edit, refused, 'second' as StoreId)
    expect(alice.state.outbox.get(edit.id)?.refusedBy).toEqual(new Set(['second']))
    expect(alice.state.quarantine.size).toBe(0)
    expect(colorOf(alice.state.visible(note))).toBe('teal')
  })

  test('[L3] a refused write leaves for the quarantine, and what it had replaced is back', () => {
    const alice = createScene()
    alice.pulls(deltaOf(insert, undefined, markOf('bob', 10)))
    const [first, second] = [alice.edits({ kind: 'vote', by: 1 }), alice.edits(recolor)]
    expect(colorOf(alice.state.visible(note))).toBe('teal')
    alice.answers(second, refused)
    expect(colorOf(alice.state.visible(note))).toBe('red')
    expect(alice.state.quarantine.get(second.id)?.error.code).toBe('refused-by-rule')
    expect([...alice.state.outbox.entries()].map(entry => entry.transaction.id)).toEqual([first.id])
  })

  test('[L3] a refusal of an insert leaves no trace of its document', () => {
    const alice = createScene()
    alice.answers(alice.edits(insert), refused)
    expect(alice.state.visible(note)).toBeUndefined()
    expect([...alice.state.keys()]).toEqual([])
  })

  test('[L4] only the confirmed layer is fingerprinted', () => {
    const [alice, bob] = [createScene(), createScene()]
    const row = deltaOf(insert, undefined, markOf('carol', 10))
    alice.pulls(row)
    bob.pulls(row)
    alice.edits(recolor)
    expect(alice.state.fingerprint).toEqual(bob.state.fingerprint)
  })

  test('[P5] rows beyond what is counted at once are counted all the same', () => {
    const { state } = createScene()
    const delta = deltaOf(insert, undefined, markOf('bob', 10))
    const rows = Array.from({ length: 140_000 }, (_, i) => ({
      key: documentKey('notes', `n${i}`),
      delta,
      parts: 0,
      texts: new Map(),
    }))
    state.apply(1, { ...pulledRow(delta), rows })
    const counted = rows.reduce(
      (sum, row) => replaceInFingerprint(sum, undefined, row.delta),
      emptyFingerprint,
    )
    expect(state.fingerprint).toEqual(counted)
  })

  test('[L2] what a relay does not have leaves nothing here', () => {
    const alice = createScene()
    alice.pulls(emptyRow)
    expect(alice.state.confirmed(note)).toBeUndefined()
  })

  test('[D2] a forgotten tombstone is gone from both layers and from the fingerprint', () => {
    const alice = createScene()
    const row = deltaOf(insert, undefined, markOf('bob', 10))
    alice.pulls(joinRows(row, deltaOf({ kind: 'delete', policy: 'edit-wins' }, row, markOf('bob', 11))))
    const applied = alice.state.apply(alice.state.seen + 1, { kind: 'forgotten', keys: [note, other] })
    expect([...applied.changed]).toEqual([note])
    expect([alice.state.confirmed(note), alice.state.visible(note)]).toEqual([undefined, undefined])
    expect(alice.state.changedAfter(1)).toEqual([note])
    expect(isFingerprintRight(alice.state)).toBe(true)
  })
})
