/** Spaces: what a relay holds does not grow with how many documents there are in how many spaces that nobody is in. */
import { openSeeder } from '../contenders/rejoin-seed.ts'
import { rejoinContender } from '../contenders/rejoin-contender.ts'
import { figureOf } from '../figure.ts'
import { sleep } from '../measure/waiting.ts'
import type { Workload } from './workload.ts'

const documentsOfSpace = 100
const atOnce = 20
/** Longer than a relay keeps a space in memory that nobody is in. */
const letGoMs = 35_000

export const manySpaces: Workload = {
  name: 'spaces',
  about: '1,000,000 documents in 10,000 spaces: the memory of the relay once everybody has left',
  async run(_rounds, extent) {
    const spaces = extent === 'full' ? 10_000 : 300
    const server = await rejoinContender.start()
    const warm = 100
    await seedSpaces(server.port, 0, warm)
    const before = await server.heldKib()
    await seedSpaces(server.port, warm, spaces)
    await sleep(letGoMs)
    const after = await server.heldKib()
    await server.stop()
    const named = { workload: `spaces ${spaces}`, figure: 'memory of the relay', unit: 'KiB' }
    // Rows, writers and numbers of spaces that were used lately are kept, within bounds.
    return [figureOf(named, { max: 48 * 1024 }, after - before, null)]
  },
}

async function seedSpaces(port: number, from: number, to: number): Promise<void> {
  for (let next = from; next < to; next += atOnce) {
    const count = Math.min(atOnce, to - next)
    await Promise.all(Array.from({ length: count }, (_, i) => seedSpace(port, `space-${next + i}`)))
  }
}

async function seedSpace(port: number, space: string): Promise<void> {
  const seeder = await openSeeder(port, space)
  await seeder.seed(0, documentsOfSpace)
  seeder.end()
}
