/** A crowd: many replicas that begin at once with a large space cost the relay no memory for each. */
import { openBareSession } from '../contenders/rejoin-session.ts'
import { openSeeder } from '../contenders/rejoin-seed.ts'
import { rejoinContender } from '../contenders/rejoin-contender.ts'
import { figureOf } from '../figure.ts'
import { sleep } from '../measure/waiting.ts'
import type { Workload } from './workload.ts'

const clients = 20
const lookMs = 20

export const crowd: Workload = {
  name: 'crowd',
  about: 'a catch-up of 100,000 documents to 20 replicas at once: the memory of the relay meanwhile',
  async run(_rounds, extent) {
    const documents = extent === 'full' ? 100_000 : 10_000
    const server = await rejoinContender.start()
    const seeder = await openSeeder(server.port, 'crowd')
    await seeder.seed(0, documents)
    seeder.end()
    // One goes before, so that what is filled once is filled.
    await catchUp(server.port, documents)
    const before = await server.memoryKib()
    let most = before
    let isOver = false
    const all = Promise.all(Array.from({ length: clients }, () => catchUp(server.port, documents)))
    const looking = (async () => {
      while (!isOver) {
        most = Math.max(most, server.residentKib())
        await sleep(lookMs)
      }
    })()
    await all
    isOver = true
    await looking
    await server.stop()
    return [
      figureOf(
        { workload: `crowd ${documents}`, figure: 'memory at its most', unit: 'KiB' },
        { max: 32 * 1024 },
        most - before,
        null,
      ),
    ]
  },
}

/** Resolves once a new replica has all documents. */
async function catchUp(port: number, documents: number): Promise<void> {
  let count = 0
  let hearAll = (): void => {}
  const whole = new Promise<void>(resolve => {
    hearAll = resolve
  })
  const session = await openBareSession(port, 'crowd', frame => {
    if (frame.type !== 'changes') return
    count += frame.rows.length
    if (frame.cut !== null) hearAll()
  })
  session.send({ type: 'range', ranges: [] })
  await whole
  session.end()
  if (count < documents) throw new Error(`a replica has ${count} documents at its cut`)
}
