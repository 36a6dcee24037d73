// Compaction and folding: whatever they are interrupted by, every reader sees the same (SPEC L1, X8).
import { expect, test } from 'vitest'
import { acknowledged, body, contentOf, key, markAt, own, pulled, rowWith, title } from './journal-tabs.ts'
import { steps, overStores, keysIn, floorOf, fill, crashAfter, stallAfter } from './journal-stores.ts'

overStores(fresh => {
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
      await replica.locks.request(`${replica.name} compaction`, { steal: true }, async () => {}).done
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
})
