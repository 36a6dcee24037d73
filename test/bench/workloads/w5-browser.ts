/** W5b: a new replica in a page of real Chromium gets 10,000 documents into IndexedDB; then the page is opened again. */
import type { Pages, Who } from '../browser/pages.ts'
import { rejoinContender } from '../contenders/rejoin-contender.ts'
import { rawContender } from '../limits/raw-contender.ts'
import { sleep, until } from '../measure/waiting.ts'
import { entries } from '../records.ts'
import { figuresOf, medians, type Aim, type Readings, type Workload } from './workload.ts'

const aims: readonly Aim[] = [
  { figure: 'until stored', unit: 'ms', target: { ratioMax: 1.3 } },
  { figure: 'opened again', unit: 'ms', target: { ratioMax: 2 } },
  { figure: 'bytes when opened again', unit: 'bytes', target: { max: 200 } },
]

export const browserColdStart: Workload = {
  name: 'W5b',
  about: 'a new replica in Chromium, until it is in IndexedDB; opened again',
  async run(rounds, extent) {
    const count = extent === 'full' ? 10_000 : 2000
    // Loaded for those who measure in a browser only.
    const { openPages } = await import('../browser/pages.ts')
    const pages = await openPages()
    const rejoin: Readings[] = []
    const limit: Readings[] = []
    try {
      for (let round = 0; round < rounds; round++) {
        limit.push(await measure(pages, 'limit', round, count))
        rejoin.push(await measure(pages, 'rejoin', round, count))
      }
    } finally {
      await pages.close()
    }
    return figuresOf('W5b', aims, { rejoin: medians(rejoin), limit: medians(limit) })
  },
}

async function measure(pages: Pages, who: Who, round: number, count: number): Promise<Readings> {
  const contender = who === 'rejoin' ? rejoinContender : rawContender
  const server = await contender.start()
  const seeder = await contender.connect(server, 'w5b')
  seeder.bulk(entries(count))
  const probe = await contender.connect(server, 'w5b')
  await until(() => probe.count() === count, 'the server has all')
  // What it does at leisure with what is new is done.
  await sleep(2500)
  const url = `ws://127.0.0.1:${server.port}`
  const relay = { url: who === 'rejoin' ? `${url}/v1/sync` : url, space: 'w5b' }
  const name = `${who} w5b ${round}`
  const stored = await pages.run(who, 'cold', name, count, relay)
  await sleep(500)
  const before = pages.frameBytes
  const again = await pages.run(who, 'again', name, count, relay)
  await sleep(300)
  const bytes = pages.frameBytes - before
  await seeder.close()
  await probe.close()
  await server.stop()
  return { 'until stored': stored, 'opened again': again, 'bytes when opened again': bytes }
}
