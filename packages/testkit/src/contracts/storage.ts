/**
 * The contract of the `Storage` port. Whoever brings a storage of their own (another engine, a wrapper) runs it with
 * the test runner at hand; each claim gets a database of its own.
 */
import {
  StorageCollision,
  type OpenStorage,
  type Storage,
  type StorageRequest,
  type StoreSchema,
} from '@rejoin/core'

export interface ContractRunner {
  readonly test: (name: string, run: () => Promise<void>) => unknown
  /** Fails unless both are deeply equal, typed arrays included. */
  readonly equal: (actual: unknown, expected: unknown) => void
}

const schemas: readonly StoreSchema[] = [
  { name: 'feed', autoIncrement: true },
  { name: 'pages', autoIncrement: false, index: 'at' },
  { name: 'fence', autoIncrement: false },
]
const stores = schemas.map(schema => schema.name)
let opened = 0

/** `name` goes in front of each claim and into the names of databases, so it must be unique to this run. */
export function storageContract(name: string, open: OpenStorage, { test, equal }: ContractRunner): void {
  const claim = (text: string, run: (storage: Storage, database: string) => Promise<void>): void => {
    test(`${name}: ${text}`, async () => {
      opened += 1
      const database = `${name} ${opened}`
      const storage = await open(database, 1, schemas)
      try {
        await run(storage, database)
      } finally {
        storage.close()
      }
    })
  }

  claim('keys are given out from 1 and rise', async storage => {
    const first = await write(storage, [add('a')])
    const second = await write(storage, [add('b'), add('c')])
    equal([...first, ...second], [1, 2, 3])
    equal(await read(storage, { op: 'getAll', store: 'feed' }), ['a', 'b', 'c'])
  })

  claim('a key is not given out again after its record was deleted', async storage => {
    await write(storage, [add('a'), add('b')])
    await write(storage, [{ op: 'delete', store: 'feed', range: { upper: 2 } }])
    equal(await write(storage, [add('c')]), [3])
  })

  claim('each request is answered in order', async storage => {
    const answers = await write(storage, [
      put('a', 1),
      add('x'),
      { op: 'get', store: 'pages', key: 'a' },
      { op: 'get', store: 'pages', key: 'missing' },
      { op: 'getAllKeys', store: 'feed' },
    ])
    equal(answers[1], 1)
    equal(answers[2], { at: 1 })
    equal(answers[3], undefined)
    equal(answers[4], [1])
  })

  for (const early of [false, true]) {
    const how = early ? 'with an early commit' : 'without an early commit'
    claim(`nothing of a transaction remains that meets a key it adds, ${how}`, async storage => {
      await write(storage, [fence(1, 1)])
      const error = await failureOf(
        storage.transact({
          stores,
          mode: 'readwrite',
          durability: 'strict',
          early,
          requests: [add('lost'), fence(1, 1)],
        }),
      )
      equal(error instanceof StorageCollision, true)
      equal(await read(storage, { op: 'getAll', store: 'feed' }), [])
      equal(await write(storage, [add('kept')]), [1])
    })
  }

  claim('a collision undoes puts and deletions that came before it', async storage => {
    await write(storage, [put('a', 1), put('b', 2), fence(1, 1)])
    const error = await failureOf(
      write(storage, [put('a', 9), put('c', 9), { op: 'delete', store: 'pages', range: 'b' }, fence(1, 1)]),
    )
    equal(error instanceof StorageCollision, true)
    equal(await read(storage, { op: 'getAll', store: 'pages' }), [{ at: 1 }, { at: 2 }])
  })

  claim('a range selects by its bounds, and a limit takes the first', async storage => {
    await write(
      storage,
      ['a', 'b', 'c', 'd', 'e'].map((key, i) => put(key, i)),
    )
    const keys = (range: object, limit?: number): Promise<unknown> =>
      read(storage, { op: 'getAllKeys', store: 'pages', range, limit })
    equal(await keys({}), ['a', 'b', 'c', 'd', 'e'])
    equal(await keys({ lower: 'b', upper: 'd' }), ['b', 'c', 'd'])
    equal(await keys({ lower: 'b', lowerOpen: true, upper: 'd', upperOpen: true }), ['c'])
    equal(await keys({ lower: 'b', lowerOpen: true }, 2), ['c', 'd'])
    equal(await keys({ upper: 'bb' }), ['a', 'b'])
    equal(await keys({ lower: 'x' }), [])
    equal(await read(storage, { op: 'getAll', store: 'pages', range: { lower: 'd' }, limit: 1 }), [{ at: 3 }])
  })

  claim('an index selects by a property, records without it left out', async storage => {
    await write(storage, [put('a', 5), put('b', 3), put('c', 5), put('d', 9)])
    await write(storage, [{ op: 'put', store: 'pages', key: 'e', value: { other: 1 } }])
    const select = (range: object, limit?: number): Promise<unknown> =>
      read(storage, { op: 'getAll', store: 'pages', index: 'at', range, limit })
    equal(await select({ lower: 3, lowerOpen: true }), [{ at: 5 }, { at: 5 }, { at: 9 }])
    equal(await select({}), [{ at: 3 }, { at: 5 }, { at: 5 }, { at: 9 }])
    equal(await select({ lower: 4 }, 1), [{ at: 5 }])
  })

  claim('a put replaces, also what an index selects by', async storage => {
    await write(storage, [put('a', 1)])
    await write(storage, [put('a', 7)])
    equal(await read(storage, { op: 'getAll', store: 'pages', index: 'at', range: { upper: 6 } }), [])
    equal(await read(storage, { op: 'get', store: 'pages', key: 'a' }), { at: 7 })
  })

  claim('a put under a given key replaces a record of the feed and gives out no key', async storage => {
    await write(storage, [add('a'), add('b')])
    await write(storage, [{ op: 'put', store: 'feed', key: 2, value: 'folded' }])
    equal(await read(storage, { op: 'getAll', store: 'feed' }), ['a', 'folded'])
    equal(await write(storage, [add('c')]), [3])
  })

  claim('a deletion takes one key or a range', async storage => {
    await write(
      storage,
      ['a', 'b', 'c', 'd'].map((key, i) => put(key, i)),
    )
    await write(storage, [{ op: 'delete', store: 'pages', range: 'b' }])
    await write(storage, [{ op: 'delete', store: 'pages', range: { lower: 'd' } }])
    equal(await read(storage, { op: 'getAllKeys', store: 'pages' }), ['a', 'c'])
  })

  claim('compound keys are ordered place by place', async storage => {
    await write(storage, [fence(2, 0), fence(1, 10), fence(1, 9), fence(10, 0)])
    equal(await read(storage, { op: 'getAllKeys', store: 'fence' }), [
      [1, 9],
      [1, 10],
      [2, 0],
      [10, 0],
    ])
    await write(storage, [{ op: 'delete', store: 'fence', range: [1, 10] }])
    const range = { lower: [1], upper: [2], upperOpen: true }
    equal(await read(storage, { op: 'getAllKeys', store: 'fence', range }), [[1, 9]])
    await write(storage, [{ op: 'put', store: 'fence', key: ['doc', 'part'], value: 1 }])
    equal(await read(storage, { op: 'getAllKeys', store: 'fence', range: { lower: ['doc'] } }), [
      ['doc', 'part'],
    ])
  })

  claim('bytes and typed arrays come back as they were, and as copies', async storage => {
    const bytes = new Uint8Array([0, 1, 255])
    const value = { bytes, ends: Uint32Array.of(1, 70_000), positions: Float64Array.of(-1, 2 ** 40) }
    await write(storage, [{ op: 'add', store: 'feed', value }])
    bytes[0] = 9
    const expected = { ...value, bytes: new Uint8Array([0, 1, 255]) }
    equal(await read(storage, { op: 'get', store: 'feed', key: 1 }), expected)
    const answer = (await read(storage, { op: 'get', store: 'feed', key: 1 })) as {
      readonly bytes: Uint8Array
    }
    answer.bytes[0] = 7
    equal(await read(storage, { op: 'get', store: 'feed', key: 1 }), expected)
  })

  claim('a view of a larger buffer comes back as the view', async storage => {
    const view = new Uint8Array([9, 1, 2, 9]).subarray(1, 3)
    await write(storage, [{ op: 'add', store: 'feed', value: { bytes: view } }])
    equal(await read(storage, { op: 'get', store: 'feed', key: 1 }), { bytes: new Uint8Array([1, 2]) })
  })

  claim('transactions at once are done one after the other, in the order of the calls', async storage => {
    const values = Array.from({ length: 20 }, (_, i) => i)
    const early = values.map(value =>
      storage.transact({
        stores: ['feed'],
        mode: 'readwrite',
        durability: 'strict',
        early: true,
        requests: [add(value)],
      }),
    )
    const keys = (await Promise.all(early)).map(([key]) => key)
    equal(
      keys,
      values.map(value => value + 1),
    )
    equal(await read(storage, { op: 'getAll', store: 'feed' }), values)
  })

  claim('a reader sees a transaction whole or not at all', async storage => {
    const writing = write(storage, [put('a', 1), put('b', 1)])
    const reading = storage.transact({
      stores,
      mode: 'readonly',
      early: true,
      requests: [{ op: 'getAll', store: 'pages' }],
    })
    await writing
    const [records] = await reading
    equal([0, 2].includes((records as readonly unknown[]).length), true)
  })

  claim('two openings of one database see each other, two databases do not', async (storage, database) => {
    const second = await open(database, 1, schemas)
    const other = await open(`${database} other`, 1, schemas)
    await write(storage, [add('a')])
    equal(await write(second, [add('b')]), [2])
    equal(await read(storage, { op: 'getAll', store: 'feed' }), ['a', 'b'])
    equal(await read(other, { op: 'getAll', store: 'feed' }), [])
    second.close()
    other.close()
  })

  claim('a closed storage refuses and keeps its records', async (storage, database) => {
    await write(storage, [add('a')])
    storage.close()
    const error = await failureOf(write(storage, [add('b')]))
    equal(typeof error === 'object' && error !== null && 'code' in error && error.code, 'storage-closed')
    const again = await open(database, 1, schemas)
    equal(await read(again, { op: 'getAll', store: 'feed' }), ['a'])
    again.close()
  })
}

function add(value: unknown): StorageRequest {
  return { op: 'add', store: 'feed', value }
}

function put(key: string, at: number): StorageRequest {
  return { op: 'put', store: 'pages', key, value: { at } }
}

function fence(term: number, count: number): StorageRequest {
  return { op: 'add', store: 'fence', key: [term, count], value: 1 }
}

function write(storage: Storage, requests: readonly StorageRequest[]): Promise<readonly unknown[]> {
  return storage.transact({ stores, mode: 'readwrite', durability: 'relaxed', requests })
}

async function read(storage: Storage, request: StorageRequest): Promise<unknown> {
  const [answer] = await storage.transact({ stores, mode: 'readonly', early: true, requests: [request] })
  return answer
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  return undefined
}
