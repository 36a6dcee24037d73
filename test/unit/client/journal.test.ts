import 'fake-indexeddb/auto'
import { createIndexedDbStorage, createMemoryStorage, journalStores, journalVersion } from '@rejoin/client'
import type { CompactionStep } from '@rejoin/client'
import { limits, RejoinError, StorageCollision, type OpenStorage, type Storage } from '@rejoin/core'
import { describe, expect, test, vi } from 'vitest'
import {
  acknowledged,
  body,
  contentOf,
  createReplica,
  key,
  markAt,
  own,
  pulled,
  rowWith,
  runtime,
  title,
  tombstone,
  writeTo,
  type Replica,
  type Tab,
} from './journal-tabs.ts'

const isHello = (message: unknown): boolean =>
  typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'hello'

const steps: readonly CompactionStep[] = ['read', 'page', 'pages', 'texts', 'snapshot', 'floor', 'deleted']
const stores: readonly (readonly [string, OpenStorage])[] = [
  ['memory', createMemoryStorage()],
  ['IndexedDB', createIndexedDbStorage(runtime)],
]

describe.each(stores)('over %s', (engine, open) => {
  let made = 0
  const fresh = (): Replica & { readonly storage: () => Promise<Storage> } => {
    made += 1
    const name = `${engine} ${made}`
    return {
      ...createReplica(open, runtime, name),
      storage: () => open(name, journalVersion, journalStores),
    }
  }

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
    const large = Array.from({ length: 30 }, (_, i) =>
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

  test.each(steps)(
    'a compactor that crashes after the step %s loses nothing, and the next one ends its work',
    async at => {
      const replica = fresh()
      const crashing = await replica.open({ step: crashAfter(at) })
      const other = await replica.open()
      await fill(replica, crashing, 60)
      await other.journal.read()
      await expect(crashing.journal.compact('pages')).rejects.toThrow('crashed')
      await replica.append(other, pulled([[key(3), rowWith('later', markAt(900))]], { cut: 99 }))

      expect(contentOf((await replica.open()).state)).toEqual(replica.replay())
      expect(contentOf(other.state)).toEqual(replica.replay())
      expect(await other.journal.compact('pages')).toBe('pages')
      expect(contentOf((await replica.open()).state)).toEqual(replica.replay())
      expect(await keysIn(replica, 'journal')).toEqual([])
      expect((await keysIn(replica, 'meta')).length).toBe(2)
    },
  )

  test.each(steps.slice(0, -2))(
    'a compactor that stalls after the step %s while another compacts stores no more',
    async at => {
      const replica = fresh()
      const stall = stallAfter(at)
      const slow = await replica.open({ step: stall.step })
      const quick = await replica.open()
      await fill(replica, slow, 40)
      const compacting = slow.journal.compact('pages')
      await stall.reached
      await replica.append(quick, pulled([[key(5), rowWith('meanwhile', markAt(800))]]))
      await replica.locks.request(`${nameOf(engine, made)} compaction`, { steal: true }, async () => {}).done
      expect(await quick.journal.compact('pages')).toBe('pages')
      const floor = await floorOf(replica)
      stall.goOn()
      expect(await compacting).toBe('fenced')
      expect(await floorOf(replica)).toBe(floor)
      for (const tab of [quick, await replica.open()]) expect(contentOf(tab.state)).toEqual(replica.replay())
      await slow.journal.read()
      expect(contentOf(slow.state)).toEqual(replica.replay())
    },
  )

  test('a verdict that comes while pages are written is in the journal above them, and not lost between', async () => {
    const replica = fresh()
    const stall = stallAfter('texts')
    const slow = await replica.open({ step: stall.step })
    const other = await replica.open()
    await replica.write(slow, own(1, [[key(1), rowWith('own', markAt(1))]]))
    const compacting = slow.journal.compact('pages')
    await stall.reached
    await replica.append(other, acknowledged([own(1, []).id]))
    await slow.journal.read()
    stall.goOn()
    expect(await compacting).toBe('pages')
    expect(contentOf((await replica.open()).state)).toEqual(replica.replay())
  })

  test.each(steps)(
    'a tab whose compaction failed after the step %s does it again and forgets nothing',
    async at => {
      const replica = fresh()
      let failures = 1
      const tab = await replica.open({
        step: async step => {
          if (step === at && failures-- > 0) throw new Error('failed')
        },
      })
      await fill(replica, tab, 30)
      await expect(tab.journal.compact('pages')).rejects.toThrow('failed')
      await replica.append(tab, pulled([[key(60), rowWith('later', markAt(900))]]))
      expect(await tab.journal.compact('pages')).toBe('pages')
      expect(contentOf((await replica.open()).state)).toEqual(replica.replay())
    },
  )

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

  test('a floor without its snapshot is a damaged store, which is told', async () => {
    const replica = fresh()
    const tab = await replica.open()
    await fill(replica, tab, 5)
    await tab.journal.compact('pages')
    const storage = await replica.storage()
    const range = { lower: ['snapshot'] }
    await storage.transact({
      stores: ['meta'],
      mode: 'readwrite',
      requests: [{ op: 'delete', store: 'meta', range }],
    })
    await expect(replica.open()).rejects.toMatchObject({ code: 'storage-closed' })
  })

  test('a tab that has seen the floor reads the journal, one behind it the pages that changed', async () => {
    const replica = fresh()
    const writer = await replica.open()
    await fill(replica, writer, 700)
    await writer.journal.compact('pages')
    const near = await replica.open({ isDeaf: true })
    await replica.append(writer, pulled([[key(1), rowWith('near', markAt(9001))]]))
    await near.journal.read()
    expect(near.state.loads).toEqual({ load: 1, skip: 0, apply: 1 })

    await replica.append(writer, pulled([[key(2), rowWith('far', markAt(9002))]], { cut: 1234 }))
    await writer.journal.compact('pages')
    await near.journal.read()
    expect(near.state.loads).toEqual({ load: 1, skip: 1, apply: 1 })
    expect(contentOf(near.state)).toEqual(replica.replay())
  })

  test.each([
    ['the pages that changed', 1],
    ['all pages', 5000],
  ])(
    '[W2] a tab that reads %s while they are being written shows nothing of a chunk without the rest of it',
    async (_, changed) => {
      const replica = fresh()
      let stall: ReturnType<typeof stallAfter> | null = null
      const writer = await replica.open({ step: async step => stall?.step(step) })
      const all = Array.from({ length: 9000 }, (_, i) => [key(i), rowWith('old', markAt(1))] as const)
      await replica.append(writer, pulled(all))
      await writer.journal.compact('pages')
      const behind = await replica.open({ isDeaf: true })
      const some = all.slice(0, changed).map(([key]) => [key, rowWith('changed', markAt(2))] as const)
      await replica.append(writer, pulled(some))
      await writer.journal.compact('pages')

      const both = new Set([key(1), key(8999)])
      const rows = all.filter((_, i) => i % 250 === 1 || i === 8999)
      await replica.append(writer, pulled(rows.map(([key]) => [key, rowWith('new', markAt(3))])))
      stall = stallAfter('page')
      const compacting = writer.journal.compact('pages')
      await stall.reached
      const shown: number[] = []
      const { skip, load } = behind.state
      const look = (): void => {
        const found = [...both].map(key => behind.state.rows.get(key)?.cells.get(title))
        shown.push(found.filter(cell => cell?.strategy === 'lww' && cell.last.ms === 3).length)
      }
      Object.assign(behind.state, {
        skip(...given: Parameters<typeof skip>) {
          skip(...given)
          queueMicrotask(look)
        },
        load(...given: Parameters<typeof load>) {
          load(...given)
          queueMicrotask(look)
        },
      })
      await behind.journal.read()
      expect(shown).toEqual([2])
      expect(contentOf(behind.state)).toEqual(replica.replay())
      stall.goOn()
      expect(await compacting).toBe('pages')
    },
  )

  test('[D2] a tab that is behind a position at which rows were forgotten takes all pages', async () => {
    const replica = fresh()
    const writer = await replica.open()
    await fill(replica, writer, 20)
    await replica.append(writer, pulled([[key(4), tombstone(markAt(5000))]]))
    const away = await replica.open({ isDeaf: true })
    await replica.append(writer, { kind: 'forgotten', keys: [key(4)] })
    await writer.journal.compact('pages')
    await away.journal.read()
    expect(away.state.loads.load).toBe(1)
    expect(away.state.rows.has(key(4))).toBe(false)
    expect(contentOf(away.state)).toEqual(replica.replay())
  })

  test('[D2] a tombstone is forgotten a while after its row last changed, everywhere and with its bodies', async () => {
    const day = 24 * 3_600_000
    const replica = fresh()
    const [tab, other] = [await replica.open(), await replica.open()]
    const fence = await tab.journal.takeFence()
    const forget = (before: number, may: (document: string) => boolean = () => true) =>
      tab.journal.forget({ fence, before, may, inTurn: run => run() })
    const texts = [{ key: key(2), part: body, update: new Uint8Array([1, 2, 3]) }]
    const rows = [
      [key(1), rowWith('lives', markAt(1))],
      [key(2), tombstone(markAt(1))],
      [key(3), tombstone(markAt(1))],
      [key(4), tombstone(markAt(1))],
    ] as const
    await replica.append(tab, pulled(rows, { at: day, texts }))
    await tab.journal.compact('pages')
    await replica.append(tab, pulled([[key(5), tombstone(markAt(2))]], { at: 5 * day }))
    await tab.journal.compact('pages')
    await replica.append(tab, pulled([[key(4), tombstone(markAt(3))]], { at: 6 * day }))

    expect(await forget(day - 1)).toBe(0)
    expect(await forget(3 * day, document => document !== key(3))).toBe(1)
    await other.journal.read()
    for (const { state } of [tab, other]) expect([...state.rows.keys()].sort()).toEqual([1, 3, 4, 5].map(key))
    await tab.journal.compact('pages')
    expect(await tab.journal.readBody(key(2), body)).toEqual([])
    expect([...(await replica.open()).state.rows.keys()].sort()).toEqual([1, 3, 4, 5].map(key))
    expect(await forget(5.5 * day)).toBe(2)
  })

  test('[D2] a row that comes back while forgetting looks for it stays', async () => {
    const replica = fresh()
    const tab = await replica.open()
    const fence = await tab.journal.takeFence()
    await replica.append(tab, pulled([[key(1), tombstone(markAt(1))]], { at: 1 }))
    await tab.journal.compact('pages')
    const revived = { ...rowWith('back', markAt(9)), revival: markAt(9) }
    const [, count] = await Promise.all([
      tab.journal.append(pulled([[key(1), revived]], { at: 2 }), { durability: 'relaxed', fence }),
      tab.journal.forget({ fence, before: 1, may: () => true, inTurn: run => run() }),
    ])
    expect(count).toBe(0)
    expect(tab.state.rows.has(key(1))).toBe(true)
  })

  test('[D2] the last look at a row and its being forgotten are one turn, in which no session stores', async () => {
    const replica = fresh()
    const tab = await replica.open()
    const fence = await tab.journal.takeFence()
    await replica.append(tab, pulled([[key(1), tombstone(markAt(1))]], { at: 1 }))
    await tab.journal.compact('pages')
    const order: string[] = []
    const inTurn = async <T>(run: () => Promise<T>): Promise<T> => {
      const [before, result] = [tab.state.rows.has(key(1)), await run()]
      order.push(`${before}, ${tab.state.rows.has(key(1))}`)
      return result
    }
    const may = (): boolean => (order.push('looked'), true)
    expect(await tab.journal.forget({ fence, before: 1, may, inTurn })).toBe(1)
    expect(order).toEqual(['looked', 'true, false'])
  })

  test('[L1] own writes without an acknowledgement survive folding and compaction, acknowledged ones leave', async () => {
    const replica = fresh()
    const tab = await replica.open()
    const writes = [1, 2, 3].map(serial =>
      own(serial, [[key(serial), rowWith(`own ${serial}`, markAt(serial))]]),
    )
    for (const transaction of writes) await replica.write(tab, transaction)
    await replica.append(tab, acknowledged([own(2, []).id]))
    await tab.journal.compact('fold')
    await tab.journal.compact('pages')
    const later = await replica.open()
    expect([...later.state.outbox.keys()]).toEqual([own(1, []).id, own(3, []).id])
    expect(later.state.outbox.get(own(1, []).id)).toEqual(writes[0])
    expect([...later.state.rows.keys()]).toEqual([key(2)])
    expect(contentOf(later.state)).toEqual(replica.replay())
  })

  test('folding leaves one record and the same state for every reader, new or in the middle', async () => {
    const replica = fresh()
    const writer = await replica.open()
    await fill(replica, writer, 10)
    const middle = await replica.open({ isDeaf: true })
    await fill(replica, writer, 25)
    expect(await writer.journal.compact('fold')).toBe('fold')
    expect((await keysIn(replica, 'journal')).length).toBe(1)
    await replica.append(writer, pulled([[key(1), rowWith('on top', markAt(7000))]]))
    await middle.journal.read()
    for (const tab of [writer, middle, await replica.open()])
      expect(contentOf(tab.state)).toEqual(replica.replay())
    expect(await writer.journal.compact('fold')).toBe('fold')
    expect(contentOf((await replica.open()).state)).toEqual(replica.replay())
  })

  test('a crash between a fold and its deletions leaves chunks twice and the state the same', async () => {
    const replica = fresh()
    const crashing = await replica.open({ step: crashAfter('folded') })
    const other = await replica.open()
    await fill(replica, crashing, 12)
    await expect(crashing.journal.compact('fold')).rejects.toThrow('crashed')
    expect((await keysIn(replica, 'journal')).length).toBe(12)
    expect(contentOf((await replica.open()).state)).toEqual(replica.replay())
    expect(await other.journal.compact('fold')).toBe('fold')
    expect((await keysIn(replica, 'journal')).length).toBe(1)
    expect(contentOf((await replica.open()).state)).toEqual(replica.replay())
  })

  test('chunks that pages hold and a crash has left are taken away by who meets them', async () => {
    const replica = fresh()
    const crashing = await replica.open({ step: crashAfter('floor') })
    await fill(replica, crashing, 12)
    await expect(crashing.journal.compact('pages')).rejects.toThrow('crashed')
    expect((await keysIn(replica, 'journal')).length).toBe(12)
    const tab = await replica.open()
    expect(tab.journal.due()).toBe('discard')
    await tab.journal.compact()
    expect(await keysIn(replica, 'journal')).toEqual([])
    expect(tab.journal.due()).toBe(null)
    expect((await replica.open()).journal.due()).toBe(null)
    expect(contentOf((await replica.open()).state)).toEqual(replica.replay())
  })

  test('nothing is compacted before it is due, and many small chunks are due to be folded', async () => {
    const replica = fresh()
    const tab = await replica.open()
    await fill(replica, tab, 5)
    expect(await tab.journal.compact()).toBe('nothing')
    await fill(replica, tab, 500)
    expect(tab.journal.due()).toBe('fold')
    expect(await tab.journal.compact()).toBe('fold')
    expect(tab.journal.due()).toBe(null)
    const large = Array.from(
      { length: 6 },
      (_, i) => [key(i), rowWith('x'.repeat(200_000), markAt(8000))] as const,
    )
    await replica.append(tab, pulled(large))
    expect(tab.journal.due()).toBe('pages')
    expect(await tab.journal.compact()).toBe('pages')
    expect(tab.journal.due()).toBe(null)
    expect(contentOf((await replica.open()).state)).toEqual(replica.replay())
  })

  test('[X8] a confirmed body is what is stored and what came since, wherever a compaction has put it', async () => {
    const replica = fresh()
    const [tab, other] = [await replica.open(), await replica.open({ isDeaf: true })]
    const update = (n: number): Uint8Array => new Uint8Array([n, n])
    const typed = (n: number) => pulled([], { texts: [{ key: key(1), part: body, update: update(n) }] })
    await replica.append(tab, typed(1))
    await replica.append(tab, typed(2))
    await other.journal.read()
    await tab.journal.compact('pages')
    await replica.append(tab, typed(3))
    expect(await tab.journal.readBody(key(1), body)).toEqual([update(1), update(2), update(3)])
    const held = await other.journal.readBody(key(1), body)
    expect(new Set(held.map(String))).toEqual(new Set([update(1), update(2)].map(String)))
    await other.journal.read()
    expect(other.state.bodiesInMemory).toBe(1)
    expect(await (await replica.open()).journal.readBody(key(1), body)).toEqual([
      update(1),
      update(2),
      update(3),
    ])
  })

  test('how many pages there are is known, also of those that a compactor wrote before it crashed', async () => {
    const replica = fresh()
    const crashing = await replica.open({ step: crashAfter('pages') })
    const rows = Array.from({ length: 1500 }, (_, i) => [key(i), rowWith('a', markAt(1))] as const)
    await replica.append(crashing, pulled(rows))
    await expect(crashing.journal.compact('pages')).rejects.toThrow('crashed')
    const tab = await replica.open()
    const more = Array.from({ length: 1500 }, (_, i) => [key(`${i}+`), rowWith('a', markAt(2))] as const)
    await replica.append(tab, pulled(more))
    expect(await tab.journal.compact('pages')).toBe('pages')
    const [base] = await (await replica.storage()).transact({
      stores: ['meta'],
      mode: 'readonly',
      requests: [{ op: 'get', store: 'meta', key: 'base' }],
    })
    expect(base).toMatchObject({ pages: (await keysIn(replica, 'pages')).length })
  })

  test('pages split as they grow, and a row is found wherever it went', async () => {
    const replica = fresh()
    const tab = await replica.open()
    const rows = (from: number, to: number, at: number) =>
      Array.from({ length: to - from }, (_, i) => [key(from + i), rowWith(`${at}`, markAt(at))] as const)
    await replica.append(tab, pulled(rows(0, 1500, 1)))
    await tab.journal.compact('pages')
    expect((await keysIn(replica, 'pages')).length).toBeGreaterThan(4)
    await replica.append(tab, pulled(rows(1400, 2400, 2)))
    await tab.journal.compact('pages')
    // The very first row of each page, among others.
    await replica.append(tab, pulled(rows(0, 2400, 4)))
    await tab.journal.compact('pages')
    await replica.append(
      tab,
      pulled([
        [key('a'), rowWith('first', markAt(3))],
        [key('zzzz'), rowWith('last', markAt(3))],
      ]),
    )
    await tab.journal.compact('pages')
    expect(contentOf((await replica.open()).state)).toEqual(replica.replay())
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
    const writes = Array.from({ length: limits.transactionsPerFrameMax + 1 }, (_, i) =>
      writeTo(tab.journal, own(i + 1, [[key(1), rowWith('a', markAt(i + 1))]])),
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

  test('[W1] thousands of writes are several chunks of one transaction, and one by one where there was no room for that', async () => {
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
      Array.from({ length: 2 * limits.transactionsPerFrameMax }, (_, i) =>
        replica.write(tab, own(from + i, [[key(1), rowWith('a', markAt(from + i))]])),
      )
    expect(new Set(await Promise.all(write(1)))).toEqual(new Set([1, 2]))
    chunksMax = 1
    const more = write(1 + 2 * limits.transactionsPerFrameMax)
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

  async function keysIn(
    replica: { readonly storage: () => Promise<Storage> },
    store: string,
  ): Promise<readonly unknown[]> {
    const storage = await replica.storage()
    const [keys] = await storage.transact({
      stores: [store],
      mode: 'readonly',
      requests: [{ op: 'getAllKeys', store }],
    })
    storage.close()
    return keys as readonly unknown[]
  }

  async function floorOf(replica: { readonly storage: () => Promise<Storage> }): Promise<number> {
    const storage = await replica.storage()
    const [base] = await storage.transact({
      stores: ['meta'],
      mode: 'readonly',
      requests: [{ op: 'get', store: 'meta', key: 'base' }],
    })
    storage.close()
    return (base as { readonly floor: number }).floor
  }
})

function nameOf(engine: string, made: number): string {
  return `${engine} ${made}`
}

function tabAt(tabs: readonly Tab[], i: number): Tab {
  const tab = tabs[i % tabs.length]
  if (tab === undefined) throw new Error('no tab')
  return tab
}

/** Pulled rows, one chunk each, with some own writes of which half are acknowledged. */
async function fill(replica: Replica, tab: Tab, chunks: number): Promise<void> {
  for (let i = 0; i < chunks; i++) {
    const serial = tab.journal.seen + 1
    const rows = [[key(serial % 50), rowWith(`v${serial}`, markAt(serial))]] as const
    if (i % 5 === 1) await replica.append(tab, { kind: 'own', transactions: [own(serial, rows)] })
    else if (i % 10 === 2) await replica.append(tab, acknowledged([own(serial - 1, []).id]))
    else await replica.append(tab, pulled(rows, { cut: serial }))
  }
}

function crashAfter(at: CompactionStep): (step: CompactionStep) => Promise<void> {
  return async step => {
    if (step === at) throw new Error('crashed')
  }
}

function stallAfter(at: CompactionStep) {
  let goOn = (): void => {}
  let isReached = (): void => {}
  const reached = new Promise<void>(resolve => (isReached = resolve))
  const gate = new Promise<void>(resolve => (goOn = resolve))
  return {
    reached,
    goOn: () => goOn(),
    async step(step: CompactionStep) {
      if (step !== at) return
      isReached()
      await gate
    },
  }
}
