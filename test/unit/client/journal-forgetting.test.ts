// Forgetting: tombstones go a while after their rows last changed, everywhere (SPEC D2).
import { expect, test } from 'vitest'
import { body, contentOf, key, markAt, pulled, rowWith, tombstone } from './journal-tabs.ts'
import { overStores, fill } from './journal-stores.ts'

overStores(fresh => {
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

  test.each(['before', 'after'])(
    '[D2] of the body of a document that is back %s pages are written nothing is that was there before it was forgotten',
    async when => {
      const replica = fresh()
      const tab = await replica.open()
      const typed = (...bytes: number[]) => [{ key: key(1), part: body, update: new Uint8Array(bytes) }]
      await replica.append(tab, pulled([[key(1), tombstone(markAt(1))]], { texts: typed(1, 2, 3) }))
      await tab.journal.compact('pages')
      await replica.append(tab, { kind: 'forgotten', keys: [key(1)] })
      if (when === 'after') await tab.journal.compact('pages')
      await replica.append(tab, pulled([[key(1), rowWith('back', markAt(1))]], { texts: typed(4) }))
      expect(await tab.journal.readBody(key(1), body)).toEqual([new Uint8Array([4])])
      await tab.journal.compact('pages')
      await replica.append(tab, pulled([[key(1), rowWith('more', markAt(2))]], { texts: typed(5) }))
      for (const one of [tab, await replica.open()])
        expect(await one.journal.readBody(key(1), body)).toEqual([new Uint8Array([4]), new Uint8Array([5])])
    },
  )

  test('[D2] a compaction that a crash ended loses nothing of a body that is back', async () => {
    const replica = fresh()
    const typed = (...bytes: number[]) => [{ key: key(1), part: body, update: new Uint8Array(bytes) }]
    const first = await replica.open()
    await replica.append(first, pulled([[key(1), tombstone(markAt(1))]], { texts: typed(1, 2, 3) }))
    await first.journal.compact('pages')
    let isDying = true
    const dying = await replica.open({
      step: async name => {
        if (isDying && name === 'texts') throw new Error('dies')
      },
    })
    await replica.append(dying, { kind: 'forgotten', keys: [key(1)] })
    await replica.append(dying, pulled([[key(1), rowWith('back', markAt(1))]], { texts: typed(4) }))
    await dying.journal.compact('pages').catch(() => {})
    isDying = false
    const next = await replica.open()
    expect(await next.journal.readBody(key(1), body)).toEqual([new Uint8Array([4])])
    await next.journal.compact('pages')
    expect(await next.journal.readBody(key(1), body)).toEqual([new Uint8Array([4])])
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
})
