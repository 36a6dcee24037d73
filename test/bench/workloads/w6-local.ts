/** W6: in a page of real Chromium, without a network: what an application does with its own documents. */
import type { Pages, Who } from '../browser/pages.ts'
import { figuresOf, medians, type Aim, type Readings, type Workload } from './workload.ts'

const aims: readonly Aim[] = [
  { figure: 'single inserts', unit: 'ms', target: { ratioMax: 2 } },
  { figure: 'bulk', unit: 'ms', target: { ratioMax: 2 } },
  { figure: 'reads by id', unit: 'ms', target: { ratioMax: 2 } },
  { figure: 'queries by owner', unit: 'ms', target: { ratioMax: 2 } },
  { figure: 'open and load', unit: 'ms', target: { ratioMax: 2 } },
  { figure: 'an awaited insert', unit: 'ms', target: { ratioMax: 1.05 } },
]

/** A thousand say as much of the time of one as ten thousand. */
const awaited = 1000

export const local: Workload = {
  name: 'W6',
  about: 'local work in Chromium: inserts, bulk, reads, queries, load, awaited inserts',
  async run(rounds, extent) {
    // Loaded for those who measure in a browser only.
    const { openPages } = await import('../browser/pages.ts')
    const pages = await openPages()
    const rejoin: Readings[] = []
    const limit: Readings[] = []
    try {
      const count = extent === 'full' ? 10_000 : 2000
      for (let round = 0; round < rounds; round++) {
        limit.push(await measure(pages, 'limit', round, count))
        rejoin.push(await measure(pages, 'rejoin', round, count))
      }
    } finally {
      await pages.close()
    }
    return figuresOf('W6', aims, { rejoin: medians(rejoin), limit: medians(limit) })
  },
}

async function measure(pages: Pages, who: Who, round: number, count: number): Promise<Readings> {
  const name = (what: string): string => `${who} ${what} ${round}`
  const single = await pages.run(who, 'single', name('single'), count)
  const bulk = await pages.run(who, 'bulk', name('bulk'), count)
  const { byId, byOwner } = await pages.run(who, 'reads', name('bulk'), count)
  const load = await pages.run(who, 'load', name('bulk'), count)
  const waited = await pages.run(who, 'awaited', name('awaited'), Math.min(awaited, count / 10))
  return {
    'single inserts': single,
    bulk,
    'reads by id': byId,
    'queries by owner': byOwner,
    'open and load': load,
    'an awaited insert': waited / Math.min(awaited, count / 10),
  }
}
