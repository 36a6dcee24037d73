/** W2: one writer, many subscribers: what a delivery costs the server, and how long it takes. */
import type { Contender, ContenderClient } from '../contenders/contender.ts'
import { rejoinContender } from '../contenders/rejoin-contender.ts'
import { quantile, type Figure } from '../figure.ts'
import { rawContender } from '../limits/raw-contender.ts'
import { paced, sleep, until } from '../measure/waiting.ts'
import { entries, entryId } from '../records.ts'
import { compare, figuresOf, type Aim, type Readings, type Workload } from './workload.ts'

const documents = 100
const perSecond = 20

const aims: readonly Aim[] = [
  { figure: 'server CPU a thousand deliveries', unit: 'ms', target: { ratioMax: 1.2 } },
  { figure: 'p50', unit: 'ms', target: { ratioMax: 1.3 } },
]

export const fanOut: Workload = {
  name: 'W2',
  about: 'one writer, 200 and 1,000 subscribers, 20 changes a second',
  async run(rounds, extent) {
    const contenders = { rejoin: rejoinContender, limit: rawContender }
    const figures: Figure[] = []
    for (const subscribers of extent === 'full' ? [200, 1000] : [50]) {
      const changes = extent === 'full' ? 200 : 60
      const readings = await compare(contenders, rounds, contender =>
        measure(contender, subscribers, changes),
      )
      figures.push(...figuresOf(`W2 ${subscribers}`, aims, readings))
    }
    return figures
  },
}

async function measure(contender: Contender, subscribers: number, changes: number): Promise<Readings> {
  const server = await contender.start()
  const writer = await contender.connect(server, 'w2')
  writer.bulk(entries(documents))
  await sleep(500)
  const begun = Array.from({ length: changes }, () => 0)
  const latencies: number[] = []
  const readers: ContenderClient[] = []
  while (readers.length < subscribers) {
    const group = Array.from({ length: Math.min(20, subscribers - readers.length) }, () =>
      contender.connect(server, 'w2'),
    )
    readers.push(...(await Promise.all(group)))
  }
  for (const reader of readers)
    reader.onNumber(n => {
      const since = begun[n - 1e6] ?? 0
      if (since > 0) latencies.push(performance.now() - since)
    })
  await until(() => readers.every(reader => reader.count() === documents), 'all subscribers have all')
  await sleep(500)
  const cpuBefore = server.cpuMs()
  await paced(changes, perSecond, i => {
    begun[i] = performance.now()
    writer.set(entryId(i % documents), 'n', 1e6 + i)
  })
  await until(() => latencies.length === changes * subscribers, 'all changes have come everywhere')
  const cpu = server.cpuMs() - cpuBefore
  for (const client of [writer, ...readers]) await client.close()
  await server.stop()
  return {
    'server CPU a thousand deliveries': (cpu * 1000) / latencies.length,
    p50: quantile(latencies, 0.5),
  }
}
