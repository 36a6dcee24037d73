/**
 * Growth: what it costs to come back to a hundred changes must not depend on how many documents there are. Measured in
 * a small space, which is the limit, and in larger ones.
 */
import { collection, openReplica } from '@rejoin/client'
import { lww } from '@rejoin/resolve'
import { anything } from '../contenders/anything.ts'
import { rejoinContender } from '../contenders/rejoin-contender.ts'
import { openSeeder } from '../contenders/rejoin-seed.ts'
import { median, type Figure } from '../figure.ts'
import { countLinks } from '../measure/counted-link.ts'
import { sleep, until } from '../measure/waiting.ts'
import { entryId } from '../records.ts'
import { figuresOf, type Aim, type Readings, type Workload } from './workload.ts'

const recs = collection('recs', { n: lww(anything<number>()) })
const changes = 100
/** Of the first document that comes, in each space the same: the length of its own id is no growth. */
const firstComing = 1_000_000

const aims: readonly Aim[] = [
  // A position that is greater takes a byte more.
  { figure: 'bytes', unit: 'bytes', target: { ratioMax: 1.02 } },
  { figure: 'until level', unit: 'ms', target: { ratioMax: 1.5 } },
]

export const resuming: Workload = {
  name: 'growth',
  about: 'to resume after 100 changes in 1,000, 100,000 and 1,000,000 documents',
  async run(rounds, extent) {
    const [small = 0, ...larger] = extent === 'full' ? [1000, 100_000, 1_000_000] : [1000, 20_000]
    const limit = await measure(small, rounds)
    const figures: Figure[] = []
    for (const documents of larger) {
      const rejoin = await measure(documents, rounds)
      figures.push(...figuresOf(`growth ${documents}`, aims, { rejoin, limit }))
    }
    return figures
  },
}

async function measure(documents: number, rounds: number): Promise<Readings> {
  const server = await rejoinContender.start()
  const seeder = await openSeeder(server.port, 'growth')
  await seeder.seed(0, documents)
  const links = countLinks()
  const replica = await openReplica({
    space: 'growth',
    name: `growth ${documents}`,
    collections: { recs },
    relays: [`ws://127.0.0.1:${server.port}/v1/sync`],
    token: () => 'reader',
    ports: { connect: links.connect },
  })
  const times: number[] = []
  const bytes: number[] = []
  const isLevel = (): boolean => replica.status.get().synced
  await until(isLevel, 'the replica has all', 600_000)
  // Until both ends have done what they do at leisure with what is new to them, which is the more the more there is.
  await sleep(2500)
  // The first round warms both ends and does not count.
  for (let round = 0, next = firstComing; round <= rounds; round++, next += changes) {
    replica.pause()
    await sleep(50)
    await seeder.seed(next, next + changes)
    links.reset()
    const start = performance.now()
    replica.resume()
    const last = entryId(next + changes - 1)
    await until(() => replica.recs.get(last) !== undefined && isLevel(), 'the changes are here')
    if (round > 0) {
      times.push(performance.now() - start)
      bytes.push(links.bytes)
    }
  }
  seeder.end()
  await replica.close()
  await server.stop()
  return { bytes: median(bytes), 'until level': median(times) }
}
