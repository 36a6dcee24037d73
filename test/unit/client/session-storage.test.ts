// What a session reads of the journal for its relay, while other sessions and tabs go on.
import { createSessionStorage, type Journal, type SessionStorageOptions } from '@rejoin/client'
import {
  documentKey,
  emptyRow,
  joinRows,
  partName,
  type PartName,
  type ReplicaState,
  type Row,
  type TextSupport,
} from '@rejoin/core'
import { text } from '@rejoin/resolve'
import { expect, test } from 'vitest'
import { markOf } from '../core/edits.ts'

const key = documentKey('notes', 'n')
const first = partName('text', 'body')
const second = partName('text', 'summary')

test('[X3] a text that grows while the next one is read is given with what its cell tells of', async () => {
  const typed = (part: PartName, ms: number): typeof emptyRow => {
    const mark = markOf('bob', ms)
    const cell = { strategy: 'text' as const, context: new Map([[mark.writer, mark]]) }
    return { ...emptyRow, cells: new Map([[part, cell]]) }
  }
  let row = joinRows(typed(first, 1), typed(second, 2))
  const bodies = new Map([
    [first, [Uint8Array.of(1)]],
    [second, [Uint8Array.of(2)]],
  ])
  let grown = false
  const readBody = async (_: typeof key, part: PartName): Promise<readonly Uint8Array[]> => {
    if (part === second && !grown) {
      grown = true
      row = joinRows(row, typed(first, 3))
      bodies.set(first, [Uint8Array.of(1), Uint8Array.of(3)])
    }
    return bodies.get(part) ?? []
  }
  const state: Pick<ReplicaState, 'confirmed'> = { confirmed: () => row }
  const journal: Pick<Journal, 'readBody'> = { readBody }
  const storage = createSessionStorage({ state, journal } as SessionStorageOptions)
  const [loaded] = await storage.load([key])
  expect(loaded?.row).toEqual(row)
  expect(loaded?.texts).toEqual(bodies)
})

test('[X6, D2] of a body on disk whose document was forgotten nothing is told, since compaction takes it away', async () => {
  const rows = new Map<typeof key, Row>()
  const body = text().text.create('still on disk', 7)
  const state: Pick<ReplicaState, 'confirmed'> = { confirmed: one => rows.get(one) }
  const journal: Pick<Journal, 'readBody'> = { readBody: async () => (body === null ? [] : [body]) }
  const supportOf = (): TextSupport => text().text
  const storage = createSessionStorage({ state, journal, supportOf } as unknown as SessionStorageOptions)
  expect(await storage.measure(key, first)).toEqual({ stateVector: new Map(), digest: '' })
  rows.set(key, emptyRow)
  expect(await storage.measure(key, first)).toMatchObject({ stateVector: new Map([[7, 13]]) })
})
