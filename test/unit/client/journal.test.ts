// The journal: what tabs write and sessions store, in one order for all of them (SPEC W1, S1).
import { RejoinError, StorageCollision, type OpenStorage } from '@rejoin/core'
import { expect, test, vi } from 'vitest'
import {
  contentOf,
  createReplica,
  key,
  markAt,
  own,
  pulled,
  rowWith,
  runtime,
  writeTo,
} from './journal-tabs.ts'
import { isHello, overStores, tabAt, fill } from './journal-stores.ts'

overStores((fresh, engine, open) => {
  test('[W1] what one tick writes becomes one chunk, and what comes while it is stored the next', async () => {
    const replica = fresh()
    const tab = await replica.open()
    const first = [1, 2, 3].map(serial =>
      replica.write(tab, own(serial, [[key(serial), rowWith('a', markAt(serial))]])),
    )
    await Promise.resolve()
    await Promise.resolve()
    const second = [4, 5].map(serial =>
      replica.write(tab, own(serial, [[key(serial), rowWith('b', markAt(serial))]])),
    )
    expect(await Promise.all([...first, ...second])).toEqual([1, 1, 1, 2, 2])
    expect(contentOf(tab.state)).toEqual(replica.replay())
  })

  test('what one tick writes becomes several chunks, in order, where it is too much for one', async () => {
    const replica = fresh()
    const tab = await replica.open()
    const large = Array.from({ length: 60 }, (_, i) =>
      own(i, [[key(i), rowWith('x'.repeat(200_000), markAt(i))]]),
    )
    const positions = await Promise.all(large.map(transaction => replica.write(tab, transaction)))
    expect(Math.max(...positions)).toBe(2)
    expect(positions).toEqual([...positions].sort((a, b) => a - b))
    expect([...tab.state.outbox.keys()]).toEqual(large.map(({ id }) => id))
  })

  test('every tab applies every chunk once and in order, whoever wrote it and whether it heard of it or not', async () => {
    const replica = fresh()
    const tabs = await Promise.all([replica.open(), replica.open(), replica.open({ isDeaf: true })])
    const writes = Array.from({ length: 30 }, (_, i) =>
      replica.write(tabAt(tabs, i), own(i, [[key(i % 7), rowWith(`v${i}`, markAt(i))]])),
    )
    await Promise.all(writes)
    for (const tab of tabs) {
      await tab.journal.read()
      expect(contentOf(tab.state)).toEqual(replica.replay())
    }
  })

  test('a tab says nothing of what it stores while it is alone, and whoever comes hears of all of it from then on', async () => {
    const said: unknown[] = []
    const replica = createReplica(open, runtime, `${engine} alone`, message => said.push(message))
    const one = await replica.open()
    await replica.append(one, pulled([[key(1), rowWith('a', markAt(1))]]))
    expect(said.filter(message => !isHello(message))).toEqual([])
    const two = await replica.open()
    await replica.append(two, pulled([[key(2), rowWith('b', markAt(2))]]))
    await vi.waitFor(() => expect(contentOf(one.state)).toEqual(replica.replay()))
    await replica.append(one, pulled([[key(3), rowWith('c', markAt(3))]]))
    await vi.waitFor(() => expect(contentOf(two.state)).toEqual(replica.replay()))
  })

  test('what was stored behind the first look of a tab that opens is read too, though it was told to nobody', async () => {
    const replica = fresh()
    const one = await replica.open()
    await replica.append(one, pulled([[key(1), rowWith('a', markAt(1))]]))
    const base = { floor: 0, purged: 0, pages: 0, pageBytes: 0, snapshotBytes: 0, times: [] }
    const first = Promise.resolve({ current: base, keys: [], records: [] })
    const two = await replica.open({ first })
    expect(contentOf(two.state)).toEqual(replica.replay())
  })

  test('a chunk too large for a message is read from the journal', async () => {
    const replica = fresh()
    const [one, two] = [await replica.open(), await replica.open()]
    await replica.append(one, pulled([[key(1), rowWith('x'.repeat(20_000), markAt(1))]]))
    await one.journal.read()
    await two.journal.read()
    expect(contentOf(two.state)).toEqual(replica.replay())
  })

  test('a journal that takes long to apply is applied in slices, and the page breathes between them', async () => {
    let ms = 0
    const slow = { ...runtime, monotonic: () => (ms += 40) }
    const breaths: number[] = []
    let applied = (): number => 0
    const watched: OpenStorage = async (name, version, all) => {
      const storage = await open(name, version, all)
      return {
        ...storage,
        transact(options) {
          if (options.stores.join() === 'meta') breaths.push(applied())
          return storage.transact(options)
        },
      }
    }
    const replica = createReplica(watched, slow, `${engine} slow`)
    const writer = await replica.open()
    const reader = await replica.open({ isDeaf: true })
    for (let i = 1; i <= 7; i++) await replica.append(writer, pulled([[key(i), rowWith('a', markAt(i))]]))
    applied = () => reader.state.loads.apply
    await reader.journal.read()
    expect(breaths).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(contentOf(reader.state)).toEqual(replica.replay())
  })

  test('reads that are asked for while one ends apply no chunk twice', async () => {
    const replica = fresh()
    const [writer, reader] = [await replica.open(), await replica.open({ isDeaf: true })]
    for (let round = 0; round < 12; round++) {
      await fill(replica, writer, 2)
      const first = reader.journal.read()
      const second = reader.journal.read()
      // Some number of microtasks after the first has ended, and before the second has begun.
      const late = first.then(async () => {
        for (let i = 0; i < round % 4; i++) await Promise.resolve()
        await reader.journal.read()
      })
      await Promise.all([first, second, late])
      expect(contentOf(reader.state)).toEqual(replica.replay())
    }
  })

  test('a paused journal hears nothing and reads all when it goes on', async () => {
    const replica = fresh()
    const [writer, paused] = [await replica.open(), await replica.open()]
    paused.journal.pause()
    await fill(replica, writer, 3)
    expect(paused.journal.seen).toBe(0)
    await paused.journal.resume()
    expect(contentOf(paused.state)).toEqual(replica.replay())
  })

  test('[W1] a journal whose page goes away hands over in the same tick all that is written', async () => {
    const replica = fresh()
    const tab = await replica.open()
    const write = (serial: number): Promise<number> =>
      replica.write(tab, own(serial, [[key(serial), rowWith('a', markAt(serial))]]))
    const inFlight = write(1)
    await Promise.resolve()
    await Promise.resolve()
    const queued = write(2)
    tab.journal.pause()
    const last = write(3)
    await Promise.resolve()
    // The page is gone: what another one reads now was with the storage before.
    const other = await replica.open()
    expect([...other.state.outbox.keys()]).toEqual([1, 2, 3].map(serial => own(serial, []).id))
    expect(await Promise.all([inFlight, queued, last])).toEqual([1, 2, 3])
    await tab.journal.resume()
    expect(contentOf(tab.state)).toEqual(replica.replay())
  })

  test('[W1] what a page that goes away hands over is committed without the page, however much it is', async () => {
    const handedOver: (boolean | undefined)[] = []
    const noting: OpenStorage = async (...args) => {
      const storage = await open(...args)
      return {
        ...storage,
        transact(options) {
          if (options.requests.some(({ op }) => op === 'add')) handedOver.push(options.early)
          return storage.transact(options)
        },
      }
    }
    const tab = await createReplica(noting, runtime, `${engine} hurried`).open()
    const writes = Array.from({ length: 60 }, (_, i) =>
      writeTo(tab.journal, own(i + 1, [[key(1), rowWith('x'.repeat(200_000), markAt(i + 1))]])),
    )
    tab.journal.pause()
    expect(handedOver).toEqual([true, true])
    expect(new Set(await Promise.all(writes))).toEqual(new Set([1, 2]))
  })

  test('a journal that was closed stores what was queued and refuses what comes after', async () => {
    const replica = fresh()
    const tab = await replica.open()
    const writing = replica.write(tab, own(1, [[key(1), rowWith('a', markAt(1))]]))
    await tab.journal.close()
    expect(await writing).toBe(1)
    await expect(writeTo(tab.journal, own(2, []))).rejects.toMatchObject({ code: 'closed' })
    expect(contentOf((await replica.open()).state)).toEqual(replica.replay())
  })

  test('what a relay sent is stored only under a fence that nobody took over', async () => {
    const replica = fresh()
    const [one, two] = [await replica.open(), await replica.open()]
    const old = await one.journal.takeFence()
    await one.journal.append(pulled([], { cut: 1 }), { durability: 'relaxed', fence: old })
    await one.journal.append(pulled([], { cut: 2 }), { durability: 'relaxed', fence: old })
    const next = await two.journal.takeFence()
    await expect(
      one.journal.append(pulled([], { cut: 9 }), { durability: 'relaxed', fence: old }),
    ).rejects.toThrow(StorageCollision)
    expect(old.lost).toBe(true)
    await two.journal.append(pulled([], { cut: 3 }), { durability: 'relaxed', fence: next })
    expect(await next.check()).toBe(true)
    expect(await old.check()).toBe(false)
    expect((await replica.open()).state.cursor).toBe(3)
  })

  test('[S1] who takes the fence has what the holder before stored last, also if that one told nobody', async () => {
    const replica = fresh()
    const [one, two] = [await replica.open(), await replica.open({ isDeaf: true })]
    const fence = await one.journal.takeFence()
    await one.journal.append(pulled([], { cut: 7 }), { durability: 'relaxed', fence })
    expect(two.state.cursor).toBe(0)
    await two.journal.takeFence()
    expect(two.state.cursor).toBe(7)
  })

  test('sixteen tabs that take the fence at once get sixteen terms', async () => {
    const replica = fresh()
    const tabs = await Promise.all(Array.from({ length: 16 }, () => replica.open()))
    const fences = await Promise.all(tabs.map(tab => tab.journal.takeFence()))
    expect(new Set(fences.map(fence => fence.term)).size).toBe(16)
    const checks = await Promise.all(fences.map(fence => fence.check()))
    expect(checks.filter(Boolean).length).toBe(1)
  })

  test('[W1] what is too much for one chunk is several of one transaction, and one by one where there was no room for that', async () => {
    const chunksAtOnce: number[] = []
    let chunksMax = 4
    const counting: OpenStorage = async (...args) => {
      const storage = await open(...args)
      return {
        ...storage,
        transact(options) {
          const chunks = options.requests.filter(
            ({ op, store }) => op === 'add' && store === 'journal',
          ).length
          if (chunks > chunksMax)
            return Promise.reject(new RejoinError('storage-full', { reason: 'test' }, 'no room'))
          if (chunks > 0) chunksAtOnce.push(chunks)
          return storage.transact(options)
        },
      }
    }
    const replica = createReplica(counting, runtime, `${engine} many`)
    const tab = await replica.open()
    const write = (from: number): readonly Promise<number>[] =>
      Array.from({ length: 60 }, (_, i) =>
        replica.write(tab, own(from + i, [[key(1), rowWith('x'.repeat(200_000), markAt(from + i))]])),
      )
    expect(new Set(await Promise.all(write(1)))).toEqual(new Set([1, 2]))
    chunksMax = 1
    const more = write(61)
    await expect(tab.journal.flush()).rejects.toMatchObject({ code: 'storage-full' })
    await tab.journal.flush()
    expect(new Set(await Promise.all(more))).toEqual(new Set([3, 4]))
    expect(chunksAtOnce).toEqual([2, 1, 1])
  })

  test('own writes wait in order while there is no room, and are stored when there is', async () => {
    let isFull = false
    const filling: OpenStorage = async (...args) => {
      const storage = await open(...args)
      return {
        ...storage,
        transact: options =>
          isFull && options.mode === 'readwrite'
            ? Promise.reject(new RejoinError('storage-full', { reason: 'test' }, 'no room'))
            : storage.transact(options),
      }
    }
    const faults: unknown[] = []
    const replica = createReplica(filling, runtime, `${engine} full`)
    const tab = await replica.open({ onFault: fault => faults.push(fault) })
    isFull = true
    const writing = [1, 2].map(serial =>
      replica.write(tab, own(serial, [[key(serial), rowWith('a', markAt(serial))]])),
    )
    await expect(tab.journal.flush()).rejects.toMatchObject({ code: 'storage-full' })
    writing.push(replica.write(tab, own(3, [[key(3), rowWith('a', markAt(3))]])))
    isFull = false
    await tab.journal.flush()
    expect(await Promise.all(writing)).toEqual([1, 1, 1])
    expect([...tab.state.outbox.keys()]).toEqual([1, 2, 3].map(serial => own(serial, []).id))
    expect(faults.at(-1)).toBe(null)
  })

  test('[W1] what was written behind a write that the storage refuses for good goes with it: it may stand on it', async () => {
    let refusals = 0
    const refusing: OpenStorage = async (...args) => {
      const storage = await open(...args)
      return {
        ...storage,
        transact: options =>
          options.mode === 'readwrite' && refusals-- > 0
            ? Promise.reject(new Error('aborted'))
            : storage.transact(options),
      }
    }
    const replica = createReplica(refusing, runtime, `${engine} refusing`)
    const tab = await replica.open()
    const write = (serial: number): Promise<number> =>
      replica.write(tab, own(serial, [[key(serial), rowWith('a', markAt(serial))]]))
    refusals = 1
    const inFlight = write(1)
    await Promise.resolve()
    await Promise.resolve()
    const outcomes = Promise.allSettled([inFlight, write(2)])
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await write(3)).toBe(1)
    const other = await replica.open()
    expect([...other.state.outbox.keys()]).toEqual([own(3, []).id])
  })
})
