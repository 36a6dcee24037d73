import { openDB } from 'idb'
import { expect, test } from 'vitest'

test('a row that was put into IndexedDB is read again after the database was closed', async () => {
  const name = `house-${crypto.randomUUID()}`
  const first = await openDB(name, 1, { upgrade: database => void database.createObjectStore('rows') })
  await first.put('rows', new Uint8Array([1, 2, 3]), 'key')
  first.close()
  const second = await openDB(name, 1)
  expect(await second.get('rows', 'key')).toEqual(new Uint8Array([1, 2, 3]))
  second.close()
})
