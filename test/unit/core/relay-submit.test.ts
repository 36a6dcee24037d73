// What a relay answers to what is submitted in one session, one transaction after the other.
import {
  createRelaySpace,
  documentKey,
  emptyRow,
  failure,
  type DocumentKey,
  type Frame,
  type GenerationId,
  type HeldRow,
  type StoreId,
  type SubmittedTransaction,
  type Write,
} from '@rejoin/core'
import { expect, test } from 'vitest'
import { deltaOf, markOf, type Edit } from './edits.ts'

const store = 'store' as StoreId
const no = failure('refused-by-rule', { reason: 'no' })
const forbidden = documentKey('notes', 'forbidden')

/** A relay that refuses one document, and one session with it. */
function createSession(): (...transactions: readonly SubmittedTransaction[]) => readonly Frame[] {
  const space = createRelaySpace(
    {
      name: 'space',
      store,
      generation: 'generation' as GenerationId,
      screen: () => ({ ok: false, error: failure('text-invalid', { reason: 'none here' }) }),
      lead: { leader: store, levels: ['relay'] },
    },
    { record: null, generations: [] },
  )
  const { session } = space.hello(
    {
      type: 'hello',
      protocol: 1,
      space: 'space',
      token: '',
      replica: 'replica' as StoreId,
      device: 'd',
      role: 'client',
      cursors: [],
      empty: false,
      frontier: new Map(),
      reach: new Map(),
      level: 'relay',
      credit: 0,
    },
    { user: 'alice', mayWrite: true, rule: ({ key }) => (key === forbidden ? no : null) },
    1000,
  )
  const rows = new Map<DocumentKey, HeldRow>()
  const reads = { row: (key: DocumentKey) => rows.get(key), writer: () => undefined }
  return (...transactions) => {
    space.submit(session, { type: 'submit', round: 0, first: session.submitted, transactions }, reads, 1000)
    for (const [key, held] of space.draft()?.rows ?? []) rows.set(key, held)
    return space.committed().map(({ frame }) => frame)
  }
}

function inserts(key: DocumentKey, ms: number): SubmittedTransaction {
  const edit: Edit = { kind: 'insert', value: 'red', element: 'x' }
  const mark = markOf('alice', ms)
  const write: Write = {
    mark,
    key,
    delta: deltaOf(edit, emptyRow, mark),
    texts: new Map(),
    replaced: new Map(),
    whole: true,
  }
  return { writes: [write], preconditions: [] }
}

test('[L3] what follows a refusal is skipped, but for what shows already: it must not be made anew', () => {
  const submit = createSession()
  const taken = inserts(documentKey('notes', 'taken'), 500)
  submit(taken)
  const answers = submit(inserts(forbidden, 600), taken, inserts(documentKey('notes', 'late'), 700))
  expect(answers).toMatchObject([
    {
      type: 'verdict',
      count: 4,
      exceptions: [
        { index: 1, kind: 'refused', write: 0, error: no },
        { index: 3, kind: 'skipped' },
      ],
    },
  ])
})
