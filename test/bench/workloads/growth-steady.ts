/** Steady load: a hundred changes a second over the same documents for ten minutes, after which nothing has grown. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { rejoinContender } from '../contenders/rejoin-contender.ts'
import { figureOf } from '../figure.ts'
import { paced, sleep } from '../measure/waiting.ts'
import { entries, entryId } from '../records.ts'
import type { Workload } from './workload.ts'

const documents = 1000
const perSecond = 100
const fillingPerSecond = 500

export const steady: Workload = {
  name: 'steady',
  about: 'a hundred changes a second for ten minutes: memory and file do not grow',
  async run(_rounds, extent) {
    const seconds = extent === 'full' ? 600 : 20
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const server = await rejoinContender.start()
    const writer = await rejoinContender.connect(server, 'steady')
    writer.bulk(entries(documents))
    const reader = await rejoinContender.connect(server, 'steady')

    async function load(from: number, count: number): Promise<void> {
      await paced(count, perSecond, i => writer.set(entryId((from + i) % documents), 'n', from + i))
      // What is done at leisure is done.
      await sleep(3000)
    }
    async function look(): Promise<readonly [number, number, number]> {
      collect()
      const held = process.memoryUsage().heapUsed / 1024
      return [await server.heldKib(), kibIn(server.folder), held]
    }

    /** The write-ahead log grows until it is full for the first time; from then on it is written over. */
    async function fillLog(): Promise<number> {
      let written = 0
      for (let kib = 0, before = -1; kib > before; kib = kibIn(server.folder)) {
        before = kib
        const from = written
        await paced(documents, fillingPerSecond, i => writer.set(entryId(i), 'n', from + i + 1))
        written += documents
      }
      return written
    }

    const filled = await fillLog()
    // Caches, compiled code and journals take longer to be as large as they get.
    const warming = extent === 'full' ? (seconds * perSecond) / 2 : documents
    await load(filled, warming)
    const before = await look()
    await load(filled + warming, seconds * perSecond)
    const after = await look()
    await writer.close()
    await reader.close()
    await server.stop()
    const names = ['memory of the relay', "the relay's file", 'memory of two clients']
    return names.map((figure, i) =>
      figureOf(
        { workload: 'steady', figure, unit: 'KiB' },
        { max: 4096 },
        Math.max(0, (after[i] ?? 0) - (before[i] ?? 0)),
        null,
      ),
    )
  },
}

function kibIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) / 1024
}
