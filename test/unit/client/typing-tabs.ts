/**
 * Two tabs of one replica that type in one text, their journal, and a relay that takes, refuses, or says that their
 * clock was wrong: every moment between a letter and the relay's disk is a step that a test can put others between.
 */
import type { ReplicaCore } from '@rejoin/client'
import {
  bodyKey,
  createReplicaState,
  createRowMap,
  decodeChunk,
  documentKey,
  earliestStamp,
  encodeChunk,
  entriesToRemake,
  failure,
  makeAnew,
  partName,
  seenByWrites,
  stampWrite,
  transactionId,
  writerFromBytes,
  type Applied,
  type Chunk,
  type DocumentKey,
  type GenerationId,
  type RemakePlan,
  type ReplicaState,
  type StoreId,
  type Transaction,
  type TransactionId,
  type WriterId,
} from '@rejoin/core'
import { text } from '@rejoin/resolve'
import type * as Y from 'yjs'
import { openSurface } from './notes-surface.ts'
import { settle } from './replica-core-double.ts'

const relay = writerFromBytes(new Uint8Array(8).fill(1)) as string as StoreId
const generation = writerFromBytes(new Uint8Array(8).fill(2)) as string as GenerationId
const support = text().text
const note = documentKey('notes', 'n')
const body = partName('text', 'body')

export interface TypingTabs {
  readonly tabs: readonly [TypingTab, TypingTab]
  /** What a relay has of the text. */
  readonly published: readonly Uint8Array[]
  /** All that the relay refused. */
  readonly refused: ReadonlySet<TransactionId>
  /** The first tab, which has the connection, submits its next write, or makes anew what it finds to be. */
  submit(verdict: 'take' | 'refuse' | 'skew', isRaced: boolean): void
  readonly isAtRest: boolean
}

export interface TypingTab {
  readonly state: ReplicaState
  readonly queued: number
  readonly text: Y.Text
  open(): Promise<void>
  /** So many of what is queued are on the disk. */
  store(count: number): void
  /** Applies so many chunks of the journal. */
  read(count: number): void
  /** Tells what was applied. */
  tick(): void
  hold(): () => void
  /** Loads the page again: from pages, so that no chunk is applied twice. Nothing may be queued. */
  reload(): Promise<void>
}

export function createTypingTabs(): TypingTabs {
  const journal: Chunk[] = []
  const published: Uint8Array[] = []
  const refused = new Set<TransactionId>()
  let drawn = 0

  function drawWriter(): WriterId {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setUint32(4, ++drawn)
    return writerFromBytes(bytes)
  }

  function createTab(): TypingTab & { readonly body: readonly Uint8Array[] } {
    let state = createReplicaState()
    let stored: readonly Uint8Array[] = []
    let queue: Transaction[] = []
    let writer: WriterId | null = null
    let clock = earliestStamp
    let serial = 0
    let listeners = new Set<(applied: Applied) => void>()
    let gathered = nothing()
    let hold = Promise.resolve()
    let handle: { readonly text: Y.Text; readonly whenReady: Promise<void>; close(): void } | null = null

    function gather({ changed, writers, rebuilt, arrived }: Applied): void {
      for (const key of changed) gathered.changed.add(key)
      for (const [from, to] of writers) gathered.writers.set(from, to)
      for (const one of rebuilt) gathered.rebuilt.add(one)
      for (const [body, updates] of arrived)
        gathered.arrived.set(body, [...(gathered.arrived.get(body) ?? []), ...updates])
      // As an engine does it.
      if (writer === null || (rebuilt.size === 0 && !writers.has(writer))) return
      gathered.writers.set(writer, writer)
      writer = null
    }

    const bodyHere = (): readonly Uint8Array[] => [...stored, ...state.bodies.updatesOf(bodyKey(note, body))]

    const core = (): ReplicaCore => ({
      state,
      closed: false,
      nextMark(over) {
        writer ??= drawWriter()
        const next = stampWrite(clock, 1000, over)
        clock = next.clock
        return { ...next.stamp, writer }
      },
      commit(writes) {
        const id = transactionId(writes[0]?.mark.writer ?? drawWriter(), ++serial)
        const transaction: Transaction = {
          id,
          writes,
          seen: seenByWrites(writes, state),
          correction: 0,
          heard: state.seen,
        }
        queue.push(transaction)
        const applied = state.write(transaction)
        gather(applied)
        return { transaction, changed: applied.changed }
      },
      onApplied(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
      reached: () => Promise.resolve(),
      settleQuarantined: () => Promise.resolve(),
      async loadBody() {
        await hold
        return bodyHere()
      },
      now: () => 1000,
    })

    const tab: TypingTab & { readonly body: readonly Uint8Array[] } = {
      get body() {
        return bodyHere()
      },
      get state() {
        return state
      },
      get queued() {
        return queue.length
      },
      get text() {
        if (handle === null) throw new Error('nothing is open')
        return handle.text
      },
      async open() {
        const surface = openSurface(core(), 'edit-wins')
        if (journal.length === 0) {
          surface.collections.notes.insert({ title: 'a', body: 'Hello' }, { id: 'n' })
          tab.store(1)
        }
        tab.read(journal.length)
        handle = surface.collections.notes.text('n', 'body')
        await handle.whenReady
      },
      store(count) {
        const transactions = queue.slice(0, count)
        queue = queue.slice(count)
        if (transactions.length > 0) journal.push({ kind: 'own', transactions })
      },
      read(count) {
        for (let left = count; left > 0 && state.seen < journal.length; left--)
          gather(state.apply(state.seen + 1, copyOf(journal[state.seen] as Chunk)))
      },
      tick() {
        const applied = gathered
        gathered = nothing()
        for (const listener of [...listeners]) listener(applied)
      },
      hold() {
        let release = (): void => undefined
        hold = new Promise(resolve => {
          release = resolve
        })
        return () => release()
      },
      async reload() {
        handle?.close()
        await settle()
        tab.store(queue.length)
        tab.read(journal.length)
        const rows = createRowMap()
        const row = state.confirmed(note)
        if (row !== undefined) rows.set(note, row)
        stored = bodyHere()
        const before = state
        state = createReplicaState()
        const snapshot = copyOf(before.snapshot())
        if (snapshot.kind === 'snapshot') state.load(rows, snapshot, before.seen)
        writer = null
        listeners = new Set()
        gathered = nothing()
        await tab.open()
      },
    }
    return tab
  }

  const tabs = [createTab(), createTab()] as const
  const [holder, other] = tabs

  function remake(plan: RemakePlan, isRaced: boolean): void {
    const { state } = holder
    const chunk = makeAnew(state, plan, {
      drawWriter,
      now: 1000,
      correction: 0,
      body: () => holder.body,
      support: () => support,
    })
    // What another tab, or this one, stored while it was computed stands before it.
    if (isRaced) for (const tab of [other, holder]) tab.store(1)
    if (chunk !== null) journal.push(chunk)
    holder.read(journal.length)
  }

  return {
    tabs,
    published,
    refused,
    get isAtRest() {
      const isRead = tabs.every(({ state, queued }) => queued === 0 && state.seen === journal.length)
      return isRead && holder.state.outbox.size === 0
    },
    submit(verdict, isRaced) {
      holder.read(journal.length)
      const { state } = holder
      const first = [...state.outbox.entries()].find(({ position, acks }) => position > 0 && acks.size === 0)
      if (first === undefined) return
      const { transaction } = first
      const { id } = transaction
      const nobody = { from: transactionId(drawWriter(), 1), keys: new Set<DocumentKey>(), refused: null }
      if (entriesToRemake(state, nobody).some(entry => entry === first))
        return remake({ ...nobody, from: id }, isRaced)
      if (verdict === 'skew') return remake({ from: id, keys: null, refused: null }, isRaced)
      if (verdict === 'refuse') {
        refused.add(id)
        const error = failure('refused-by-rule', { reason: 'no' })
        return remake({ from: id, keys: new Set([note]), refused: { transaction, error } }, isRaced)
      }
      published.push(...transaction.writes.flatMap(({ texts }) => texts.get(body) ?? []))
      journal.push({
        kind: 'verdicts',
        store: relay,
        generation,
        position: published.length,
        cut: false,
        verdicts: [{ id, outcome: { kind: 'acknowledged', shows: 'yes' } }],
        wants: [],
      })
      holder.read(journal.length)
    },
  }
}

/** As another tab, or a later opening, reads it. */
function copyOf(chunk: Chunk): Chunk {
  const decoded = decodeChunk(encodeChunk(chunk))
  if (!decoded.ok) throw new Error(decoded.error.code)
  return decoded.value
}

function nothing(): {
  readonly changed: Set<DocumentKey>
  readonly writers: Map<WriterId, WriterId>
  readonly rebuilt: Set<string>
  readonly arrived: Map<string, readonly Uint8Array[]>
} {
  return { changed: new Set(), writers: new Map(), rebuilt: new Set(), arrived: new Map() }
}
