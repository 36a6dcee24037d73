// Texts that are made anew (SPEC X9).
import { createReplicaState, decodeChunk, encodeChunk, failure, makeAnew } from '@rejoin/core'
import type { TextSupport, Write } from '@rejoin/core'
import { text } from '@rejoin/resolve'
import { expect, test } from 'vitest'
import { createTab } from './chunk-history.ts'
import { body, bytesOf, type Edit } from './edits.ts'
import { note, insert } from './remake-scene.ts'
import { remakeContext } from './remake-context.ts'

/** A write of a text, beside an insert or alone, that becomes this when it is made anew. */
function remakeText(edits: readonly Edit[], becomes: 'nothing' | 'lost') {
  const state = createReplicaState()
  const made = createTab(state).write(edits.map(edit => [0, edit]))
  const typed = (write: Write): Write => ({ ...write, texts: new Map([[body, [bytesOf('update')]]]) })
  const writes = made.writes.map(write => (write.delta.cells.has(body) ? typed(write) : write))
  const transaction = { ...made, writes, seen: made.seen.map(seen => ({ ...seen, exists: true })) }
  state.apply(1, { kind: 'own', transactions: [transaction] })
  const plan = { from: transaction.id, keys: null, refused: null }
  const support: TextSupport = { ...text().text, remake: () => [becomes] }
  const context = { ...remakeContext(), support: () => support }
  const chunk = makeAnew(state, plan, context)
  const read = chunk && decodeChunk(encodeChunk(chunk))
  if (!read?.ok || read.value.kind !== 'remade') throw new Error('there is nothing to make anew')
  state.apply(2, read.value)
  return { state, transaction, chunk: read.value }
}

test('[X9] a text of which nothing remains leaves no cell behind in a write', () => {
  const { chunk, state } = remakeText([insert, { kind: 'type' }], 'nothing')
  const [made] = chunk.transactions
  expect(made?.to.writes.map(({ delta }) => delta.cells.has(body))).toEqual([false])
  expect(made?.to.seen.length).toBe(1)
  expect(state.outbox.size).toBe(1)
})

test('[X9] a write of which nothing remains leaves the outbox, and is not refused', () => {
  const { chunk, state, transaction } = remakeText([{ kind: 'type' }], 'nothing')
  expect(chunk.transactions.map(({ from, to }) => [from, to.writes])).toEqual([[transaction.id, []]])
  expect([state.outbox.size, state.quarantine.size]).toEqual([0, 0])
  expect(state.visible(note)).toBeUndefined()
})

test('[X9] what was typed in a text that nobody has goes to the quarantine with its transaction', () => {
  for (const edits of [[{ kind: 'type' }], [insert, { kind: 'type' }]] satisfies Edit[][]) {
    const { state, transaction } = remakeText(edits, 'lost')
    expect(state.outbox.size).toBe(0)
    expect([...state.quarantine]).toEqual([
      [transaction.id, { transaction, error: failure('built-on-refused', { document: note }) }],
    ])
  }
})
