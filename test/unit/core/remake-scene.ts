/** Writes of one tab and others, of which some are refused or made anew: what tests of making anew begin with. */
import {
  contextOfCell,
  createReplicaState,
  emptyRow,
  failure,
  isInSet,
  makeAnew,
  rowExists,
  sumOfCounter,
} from '@rejoin/core'
import type {
  Chunk,
  Mark,
  RemadeChunk,
  RemakeContext,
  RemakePlan,
  ReplicaState,
  Row,
  Transaction,
} from '@rejoin/core'
import { createTab, generation, keys, relay, type Action } from './chunk-history.ts'
import { color, deltaOf, markOf, tags, textOf, title, votes, type Edit, type Person } from './edits.ts'
import { pulledChunk } from './chunks.ts'
import { remakeContext } from './remake-context.ts'

export const [note, other] = keys as [(typeof keys)[number], (typeof keys)[number]]
export const insert: Edit = { kind: 'insert', value: 'red', element: 'x' }
export const recolor: Edit = { kind: 'color', value: 'teal' }
export const vote: Edit = { kind: 'vote', by: 1 }

export interface Scene {
  readonly state: ReplicaState
  edits(...edits: readonly (Edit | readonly [number, Edit])[]): Transaction
  pulls(person: Person, edit: Edit, ms: number): void
  takes(transaction: Transaction): void
  refuses(transaction: Transaction): void
  /** Makes anew what is left, from this transaction or the first one on, and applies it. */
  remakes(more?: Partial<RemakePlan>, context?: Partial<RemakeContext>): RemadeChunk
  row(key?: (typeof keys)[number]): Row
}

export function createScene(): Scene {
  const state = createReplicaState()
  const tab = createTab(state)
  const append = (chunk: Chunk): void => void state.apply(state.seen + 1, chunk)
  const answer = ({ id }: Transaction, outcome: 'acknowledged' | 'refused'): void =>
    append({
      kind: 'verdicts',
      store: relay,
      generation,
      position: 1,
      cut: false,
      verdicts: [
        {
          id,
          outcome:
            outcome === 'acknowledged'
              ? { kind: 'acknowledged', shows: 'yes' }
              : { kind: 'refused', write: 0, error: failure('refused-by-rule', { reason: 'no' }) },
        },
      ],
      wants: [],
    })
  return {
    state,
    edits(...edits) {
      const transaction = tab.write(edits.map(edit => ('kind' in edit ? [0, edit] : edit)))
      append({ kind: 'own', transactions: [transaction] })
      return transaction
    },
    pulls(person, edit, ms) {
      const delta = deltaOf(edit, state.confirmed(note), markOf(person, ms))
      append(pulledChunk(relay, { rows: [{ key: note, delta, parts: 0, texts: new Map() }] }))
    },
    takes: transaction => answer(transaction, 'acknowledged'),
    refuses: transaction => answer(transaction, 'refused'),
    remakes(more, context) {
      const first = [...state.outbox.entries()][0]
      const from = first?.transaction.id as Transaction['id']
      const chunk = makeAnew(
        state,
        { from, keys: null, refused: null, ...more },
        { ...remakeContext(), ...context },
      )
      if (chunk === null) throw new Error('there is nothing to make anew')
      append(chunk)
      return chunk
    },
    row: key => state.visible(key ?? note) ?? emptyRow,
  }
}

/** A relay takes transactions in their order. */
export function inOrder(actions: readonly Action[]): readonly Action[] {
  return actions.map(one => (one.kind === 'acknowledge' ? { ...one, at: 0 } : one))
}

/** L3: a refused increment leaves later totals when they are made anew, so what shows is not as before then. */
export function withoutRefusedVotes(actions: readonly Action[]): readonly Action[] {
  const votesAtAll = actions.some(
    one => one.kind === 'write' && one.edits.some(([, edit]) => edit.kind === 'vote'),
  )
  return votesAtAll ? actions.filter(one => one.kind !== 'refuse') : actions
}

export function sumIn(row: Row): number {
  const cell = row.cells.get(votes)
  return cell?.strategy === 'counter' ? sumOfCounter(cell) : 0
}

export function titlesIn(row: Row): readonly string[] {
  const cell = row.cells.get(title)
  return cell?.strategy === 'ask' ? cell.siblings.map(({ value }) => textOf(value)) : []
}

export function tagsIn(row: Row): readonly string[] {
  const cell = row.cells.get(tags)
  return cell?.strategy === 'set'
    ? [...cell.elements.values()].filter(isInSet).map(one => textOf(one.value))
    : []
}

export function marksOf(chunk: RemadeChunk): readonly Mark[] {
  return chunk.transactions.flatMap(({ to }) => to.writes.map(write => write.mark))
}
/** As a client writes it that says which mark it replaced. */
export function withReplaced(
  transaction: Transaction,
  part: typeof color,
  mark: Mark | undefined,
): Transaction {
  const replace = (write: Transaction['writes'][number]): Transaction['writes'][number] =>
    mark === undefined || !write.delta.cells.has(part)
      ? write
      : { ...write, replaced: new Map([[part, mark]]) }
  return { ...transaction, writes: transaction.writes.map(replace) }
}

export function formOfShown(row: Row | undefined): unknown {
  const cell = row?.cells.get(color)
  const shown = row ?? emptyRow
  return [
    rowExists(row),
    cell?.strategy === 'lww' ? textOf(cell.value) : null,
    titlesIn(shown),
    [...tagsIn(shown)].sort(),
    sumIn(shown),
  ]
}

export function marksIn({ writes, seen }: Transaction): readonly Mark[] {
  return [
    ...seen.flatMap(({ last }) => (last === null ? [] : [last])),
    ...writes.flatMap(({ mark, delta, replaced }) => [
      mark,
      ...replaced.values(),
      ...[...delta.cells.values()].flatMap(cell => [...contextOfCell(cell).values()]),
      ...[...(delta.deletion?.seen.values() ?? [])].flatMap(one =>
        one.kind === 'context' ? [...one.context.values()] : one.kind === 'last' ? [one.mark] : [],
      ),
    ]),
  ]
}
