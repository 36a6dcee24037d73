/** Growth: a client of many documents opens in Chromium, and the page can be used all the while. */
import { rejoinContender } from '../contenders/rejoin-contender.ts'
import { openSeeder } from '../contenders/rejoin-seed.ts'
import { median } from '../figure.ts'
import { figuresOf, type Aim, type Workload } from './workload.ts'

const aims: readonly Aim[] = [
  { figure: 'longest task while it opens', unit: 'ms', target: { max: 100 } },
  { figure: 'longest task while it is filled', unit: 'ms', target: { max: 250 } },
]

export const opening: Workload = {
  name: 'growth',
  about: 'to open a client of 200,000 documents in Chromium without a long task',
  async run(rounds, extent) {
    const documents = extent === 'full' ? 200_000 : 100_000
    // Loaded for those who measure in a browser only.
    const { openPages } = await import('../browser/pages.ts')
    const pages = await openPages()
    const server = await rejoinContender.start()
    try {
      const seeder = await openSeeder(server.port, 'growth')
      await seeder.seed(0, documents)
      seeder.end()
      const relay = { url: `ws://127.0.0.1:${server.port}/v1/sync`, space: 'growth' }
      const filled = await pages.run('rejoin', 'fill', 'growth', relay)
      const longest: number[] = []
      for (let round = 0; round < rounds; round++)
        longest.push((await pages.run('rejoin', 'opening', 'growth', documents)).longestMs)
      const rejoin = {
        'longest task while it opens': median(longest),
        'longest task while it is filled': filled,
      }
      return figuresOf(`growth open ${documents}`, aims, { rejoin, limit: {} })
    } finally {
      await pages.close()
      await server.stop()
    }
  },
}
