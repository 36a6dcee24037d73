/** Two stores of relays that say the same of a space, however one of them has it on its disk. */
import type { DocumentKey, FeedRow, RelayStore, WriterId, WriterRecord } from '@rejoin/core'
import { expect } from 'vitest'

/** Rows of one commit and writers stand in no order. */
export async function expectAlike(
  store: RelayStore,
  model: RelayStore,
  of: {
    readonly space: string
    readonly keys: readonly DocumentKey[]
    readonly writers: readonly WriterId[]
  },
): Promise<void> {
  const { space, keys, writers } = of
  const loaded = await model.loadSpace(space)
  expect(await store.loadSpace(space)).toEqual(loaded)
  const end = loaded.record?.position ?? 0
  for (const after of new Set([0, 1, end - 3, end - 1].filter(at => at >= 0)))
    for (const limit of [1, 2, 10])
      expect(byKey(await store.feed(space, after, limit))).toEqual(
        byKey(await model.feed(space, after, limit)),
      )
  expect(byKey(await all(store, space))).toEqual(byKey(await all(model, space)))
  for (const after of [0, end - 1])
    expect(byWriter(await store.writersAfter(space, after))).toEqual(
      byWriter(await model.writersAfter(space, after)),
    )
  expect(await store.writers(space, writers)).toEqual(await model.writers(space, writers))
  expect(await store.rows(space, keys)).toEqual(await model.rows(space, keys))
}

async function all(store: RelayStore, space: string): Promise<readonly FeedRow[]> {
  const rows: FeedRow[] = []
  for await (const slice of store.all(space)) rows.push(...slice)
  return rows
}

function byKey(rows: readonly FeedRow[]): readonly FeedRow[] {
  return rows.toSorted((a, b) => a.held.position - b.held.position || (a.key < b.key ? -1 : 1))
}

function byWriter(records: readonly WriterRecord[]): readonly WriterRecord[] {
  return records.toSorted((a, b) => (a.writer < b.writer ? -1 : 1))
}
