/** A replica on a platform that refuses it something. */
import { collection, openReplica } from '@rejoin/client'
import { lww } from '@rejoin/resolve'
import 'fake-indexeddb/auto'
import * as v from 'valibot'
import { afterEach, expect, it, vi } from 'vitest'

afterEach(() => void vi.unstubAllGlobals())

it('where pages may not talk to each other, a replica opens all the same', async () => {
  const refusing = function (): never {
    throw new DOMException('the operation is insecure', 'SecurityError')
  }
  vi.stubGlobal('BroadcastChannel', refusing)
  const notes = collection('notes', { title: lww(v.string()) })
  await using replica = await openReplica({ space: 'space', collections: { notes }, relays: [] })
  await replica.notes.insert({ title: 'a' }).reached('local')
  expect(replica.status.get()).toMatchObject({ persistence: 'indexeddb', unsaved: 0 })
})
