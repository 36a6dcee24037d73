/** The contract of the texts of a `RelayStore`: a snapshot up to a position, and the updates after it (SPEC X1, X2, X6). */
import { partName, type FeedRow, type StoredText, type TextFold } from '@rejoin/core'
import { body, commitAt, held, key, row, strings, text } from './feed-rows.ts'
import type { Claiming } from './relay-store-claim.ts'

export function claimTexts({ claim, equal }: Claiming): void {
  claim('[X6] a tail begins after a position and keeps its order', async store => {
    await store.commit(
      commitAt(1, [row('1', 1)], { texts: [text('1', 'a'), text('2', 'x'), text('1', 'b')] }),
    )
    await store.commit(commitAt(2, [row('1', 2)], { texts: [text('1', 'c')] }))
    await store.commit(commitAt(3, [row('1', 3)]))
    equal(strings((await store.textTail('team', key('1'), body, 0)) ?? []), ['a', 'b', 'c'])
    equal(strings((await store.textTail('team', key('1'), body, 1)) ?? []), ['c'])
    equal(await store.textTail('team', key('1'), body, 3), [])
    equal(strings(await store.textBody('team', key('1'), body)), ['a', 'b', 'c'])
    equal(strings(await store.textBody('team', key('2'), body)), ['x'])
    equal(await store.textBody('team', key('1'), partName('text', 'other')), [])
  })

  claim('[X2] a fold takes the place of what was read, and of the row with its new size', async store => {
    await store.commit(commitAt(1, [row('1', 1)], { texts: [text('1', 'aa'), text('1', 'bb')] }))
    await store.commit(commitAt(2, [row('1', 2)], { texts: [text('1', 'cc'), text('2', 'x')] }))
    equal(await store.textSize('team', key('1'), body), { snapshot: 0, tail: 6 })
    const read = await store.storedText('team', key('1'), body)
    equal([read.folded, read.end, strings(read.updates)], [0, 2, ['aa', 'bb', 'cc']])
    equal(await store.fold(fold('1', read, 'S', sized('1', 2, 1))), true)
    equal(strings(await store.textBody('team', key('1'), body)), ['S'])
    equal(strings(await store.textBody('team', key('2'), body)), ['x'])
    equal(await store.textSize('team', key('1'), body), { snapshot: 1, tail: 0 })
    equal(await store.rows('team', [key('1')]), new Map([held(sized('1', 2, 1))]))
    equal(await store.feed('team', 0, 10), [sized('1', 2, 1)])
    equal((await store.loadSpace('team')).record?.position, 2)
  })

  claim('[X2] what is appended while a fold is made stays in the tail', async store => {
    await store.commit(commitAt(1, [row('1', 1)], { texts: [text('1', 'a'), text('1', 'b')] }))
    const read = await store.storedText('team', key('1'), body)
    await store.commit(commitAt(2, [row('1', 2)], { texts: [text('1', 'c')] }))
    const commit = store.commit(commitAt(3, [row('2', 3)], { texts: [text('1', 'd')] }))
    const folded = store.fold(fold('1', read, 'S', sized('1', 2, 2)))
    await commit
    equal(await folded, true)
    equal(strings(await store.textBody('team', key('1'), body)), ['S', 'c', 'd'])
    equal(strings((await store.textTail('team', key('1'), body, 1)) ?? []), ['c', 'd'])
    const again = await store.storedText('team', key('1'), body)
    equal([again.folded, again.end, strings(again.updates)], [1, 3, ['S', 'c', 'd']])
    equal(await store.fold(fold('1', again, 'T', sized('1', 2, 1))), true)
    equal(strings(await store.textBody('team', key('1'), body)), ['T'])
  })

  claim('[X2] a fold of what is no longer there changes nothing', async store => {
    await store.commit(commitAt(1, [row('1', 1)], { texts: [text('1', 'a'), text('1', 'b')] }))
    const read = await store.storedText('team', key('1'), body)
    equal(await store.fold(fold('1', read, 'S', sized('1', 1, 1))), true)
    equal(await store.fold(fold('1', read, 'late', sized('1', 1, 9))), false)
    equal(await store.fold(fold('1', { ...read, folded: 1, end: 5 }, 'early', sized('1', 1, 9))), false)
    equal(await store.fold({ ...fold('1', read, 'astray', sized('1', 1, 9)), space: 'other' }), false)
    equal(strings(await store.textBody('team', key('1'), body)), ['S'])
    equal(await store.rows('team', [key('1')]), new Map([held(sized('1', 1, 1))]))
    equal(await store.rows('other', [key('1')]), new Map())
  })

  claim('[X6] a cursor inside the tail gets the tail, one from before the snapshot does not', async store => {
    for (let at = 1; at <= 4; at++)
      await store.commit(commitAt(at, [row('1', at)], { texts: [text('1', `${at}`)] }))
    const read = await store.storedText('team', key('1'), body)
    await store.commit(commitAt(5, [row('1', 5)], { texts: [text('1', '5')] }))
    await store.commit(commitAt(6, [row('1', 6)], { texts: [text('1', '6')] }))
    await store.fold(fold('1', read, 'S', row('1', 6)))
    equal(await store.textTail('team', key('1'), body, 0), null)
    equal(await store.textTail('team', key('1'), body, 3), null)
    equal(strings((await store.textTail('team', key('1'), body, 4)) ?? []), ['5', '6'])
    equal(strings((await store.textTail('team', key('1'), body, 5)) ?? []), ['6'])
    equal(await store.textTail('team', key('1'), body, 6), [])
  })

  claim(
    '[X2, A1] a fold that resolved is there after a reopening, one that was not made is not',
    async (store, disk) => {
      await store.commit(commitAt(1, [row('1', 1)], { texts: [text('1', 'a'), text('1', 'b')] }))
      const read = await store.storedText('team', key('1'), body)
      await store.close()
      const second = await disk.open()
      equal(strings(await second.textBody('team', key('1'), body)), ['a', 'b'])
      equal(await second.fold(fold('1', read, 'S', sized('1', 1, 1))), true)
      await second.close()
      const third = await disk.open()
      equal(strings(await third.textBody('team', key('1'), body)), ['S'])
      equal(await third.textTail('team', key('1'), body, 0), null)
      equal(await third.rows('team', [key('1')]), new Map([held(sized('1', 1, 1))]))
      await third.close()
    },
  )
}

/** A row whose text has so many bytes. */
function sized(id: string, position: number, bytes: number): FeedRow {
  const { key: name, held: plain } = row(id, position)
  return { key: name, held: { ...plain, texts: new Map([[body, { stateVector: new Map(), bytes }]]) } }
}

function fold(id: string, read: StoredText, snapshot: string, { held: heldRow }: FeedRow): TextFold {
  const bytes = new TextEncoder().encode(snapshot)
  return { space: 'team', key: key(id), part: body, read, snapshot: bytes, held: heldRow }
}
