/** W3: idle connections, each in a space of its own with one document: what one costs the relay in memory. */
import type { Contender, ContenderClient } from '../contenders/contender.ts'
import { rejoinContender } from '../contenders/rejoin-contender.ts'
import type { Figure } from '../figure.ts'
import { rawContender } from '../limits/raw-contender.ts'
import { sleep } from '../measure/waiting.ts'
import { entryAt, entryId } from '../records.ts'
import { compare, figuresOf, type Aim, type Readings, type Workload } from './workload.ts'

const aims: readonly Aim[] = [{ figure: 'memory a connection', unit: 'KiB', target: { max: 10 } }]

export const idle: Workload = {
  name: 'W3',
  about: '2,000 idle connections, each in its own space; and 10,000',
  async run(rounds, extent) {
    const contenders = { rejoin: rejoinContender, limit: rawContender }
    const figures: Figure[] = []
    for (const connections of extent === 'full' ? [2000, 10_000] : [300]) {
      const times = connections > 2000 ? 1 : rounds
      const readings = await compare(contenders, times, contender => measure(contender, connections))
      figures.push(...figuresOf(`W3 ${connections}`, aims, readings))
    }
    return figures
  },
}

async function measure(contender: Contender, connections: number): Promise<Readings> {
  const server = await contender.start()
  // Code that is warm, and a heap that has grown, are not a connection's.
  for (let i = 0; i < 50; i++) await (await open(contender, server, `warm-${i}`)).close()
  const before = await server.memoryKib()
  const clients: ContenderClient[] = []
  while (clients.length < connections) {
    const from = clients.length
    const group = Array.from({ length: Math.min(20, connections - from) }, (_, i) =>
      open(contender, server, `space-${from + i}`),
    )
    clients.push(...(await Promise.all(group)))
  }
  await sleep(3000)
  const memory = (await server.memoryKib()) - before
  for (const client of clients) await client.close()
  await server.stop()
  return { 'memory a connection': memory / connections }
}

async function open(
  contender: Contender,
  server: Awaited<ReturnType<Contender['start']>>,
  space: string,
): Promise<ContenderClient> {
  const client = await contender.connect(server, space)
  client.bulk([[entryId(1), entryAt(1)]])
  return client
}
