/**
 * The contract of the `RelayStore` port: what a relay's kernel relies on, whatever keeps the rows.
 */
import {
  RejoinError,
  type Generation,
  type GenerationId,
  type SpaceRecord,
  type StoreId,
  writerFromBytes,
} from '@rejoin/core'
import {
  alice,
  bob,
  body,
  collect,
  commitAt,
  held,
  key,
  row,
  strings,
  text,
  writerRecord,
} from './feed-rows.ts'
import { createClaiming, type RelayDisk } from './relay-store-claim.ts'
import { claimRows } from './relay-store-rows.ts'
import { claimTexts } from './relay-store-texts.ts'
import type { ContractRunner } from './storage.ts'

const other = writerFromBytes(Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9)) as string as StoreId

/** `name` goes in front of each claim. */
export function relayStoreContract(
  name: string,
  createDisk: () => Promise<RelayDisk>,
  runner: ContractRunner,
): void {
  const claiming = createClaiming(name, createDisk, runner)
  const { claim, equal } = claiming
  claimRows(claiming)
  claimTexts(claiming)

  claim('it says whether it was made at this opening', async (store, disk) => {
    equal(store.isNew, true)
    await store.close()
    const again = await disk.open()
    equal(again.isNew, false)
    await again.close()
  })

  claim('a space that was never seen has no record, no rows and no facts', async store => {
    equal(await store.loadSpace('team'), { record: null, generations: [] })
    equal(await store.rows('team', [key('1')]), new Map())
    equal(await store.feed('team', 0, 10), [])
    equal(await collect(store, 'team'), [])
    equal(await store.writers('team', [alice]), [])
    equal(await store.textBody('team', key('1'), body), [])
  })

  claim('a record comes back as it was committed', async store => {
    const generation = store.generation
    const record: SpaceRecord = {
      position: 7,
      fingerprint: { count: 3, high: 4_294_967_295, low: 1 },
      frontier: new Map([[generation, 7]]),
      generation,
      peers: new Map([[other, { cursor: { generation, cut: 4, place: 6 }, wants: [key('1'), key('a/b')] }]]),
    }
    await store.commit({ ...commitAt(7, []), record })
    equal((await store.loadSpace('team')).record, record)
    const later = { ...record, position: 8, peers: new Map() }
    await store.commit({ ...commitAt(8, []), record: later })
    equal((await store.loadSpace('team')).record, later)
  })

  claim('[T4] writers come back by id and by the position of their change', async store => {
    const first = writerRecord(alice, 10)
    await store.commit(commitAt(1, [row('1', 1)], { writers: [first] }))
    await store.commit(commitAt(2, [row('2', 2)], { writers: [writerRecord(bob, 20)] }))
    equal(await store.writers('team', [alice, bob]), [first, writerRecord(bob, 20)])
    equal(await store.writersAfter('team', 1), [writerRecord(bob, 20)])
    const raised = writerRecord(alice, 30)
    await store.commit(commitAt(3, [row('1', 3)], { writers: [raised] }))
    equal(await store.writers('team', [alice]), [raised])
    equal(await store.writersAfter('team', 2), [raised])
    equal(await store.writersAfter('team', 3), [])
  })

  claim('facts about generations only grow, in the order in which they came', async store => {
    const facts = [fact('a', null, 0), fact('b', 'a', 4), fact('c', 'b', 9)]
    await store.commit(commitAt(1, [row('1', 1)], { generations: facts.slice(0, 2) }))
    await store.commit(commitAt(1, [], { generations: [fact('a', null, 0), ...facts.slice(2)] }))
    equal((await store.loadSpace('team')).generations, facts)
    equal((await store.loadSpace('team')).record?.position, 1)
  })

  claim('each opening is a new generation of one store', async (store, disk) => {
    const { id, generation } = store
    await store.close()
    const again = await disk.open()
    equal(again.id, id)
    equal(again.generation === generation, false)
    equal([again.id.length, again.generation.length], [11, 11])
    await again.close()
  })

  claim('[A1] what a commit resolved for is there after a reopening', async (store, disk) => {
    const texts = [text('1', 'a')]
    const writers = [writerRecord(alice, 10)]
    const generations = [fact('a', null, 0)]
    const commit = commitAt(1, [row('1', 1), row('2', 1)], { texts, writers, generations })
    await store.commit(commit)
    await store.close()
    const again = await disk.open()
    equal(await again.loadSpace('team'), { record: commit.record, generations })
    equal(await again.feed('team', 0, 10), [row('1', 1), row('2', 1)])
    equal(await again.writersAfter('team', 0), writers)
    equal(strings(await again.textBody('team', key('1'), body)), ['a'])
    await again.close()
  })

  claim('commits that are made in one go are all stored, in their order', async store => {
    const made: Promise<void>[] = []
    for (let at = 1; at <= 20; at++) {
      made.push(store.commit(commitAt(at, [row('1', at), row(`own ${at}`, at)])))
      made.push(store.commit({ ...commitAt(at, [row('1', at)]), space: `space ${at}` }))
    }
    await Promise.all(made)
    equal((await store.loadSpace('team')).record?.position, 20)
    equal(await store.rows('team', [key('1')]), new Map([held(row('1', 20))]))
    equal((await store.feed('team', 0, 100)).length, 21)
    equal((await store.loadSpace('space 7')).record?.position, 7)
  })

  claim(
    'what was handed over before a closing is stored or rejected, never forgotten',
    async (store, disk) => {
      const committed = outcome(store.commit(commitAt(1, [row('1', 1)])))
      await store.close()
      const stored = (await committed) === 'stored'
      const again = await disk.open()
      equal((await again.rows('team', [key('1')])).size, stored ? 1 : 0)
      await again.close()
    },
  )

  claim('a closed store takes nothing and says so', async store => {
    await store.close()
    await store.close()
    equal(await outcome(store.commit(commitAt(1, [row('1', 1)]))), 'storage-closed')
    equal(await outcome(store.loadSpace('team')), 'storage-closed')
    equal(await outcome(store.feed('team', 0, 1)), 'storage-closed')
  })
}

function fact(id: string, parent: string | null, start: number): Generation {
  return { id: id as GenerationId, store: other, parent: parent as GenerationId | null, start }
}

async function outcome(run: Promise<unknown>): Promise<string> {
  try {
    await run
    return 'stored'
  } catch (error) {
    return error instanceof RejoinError ? error.code : String(error)
  }
}
