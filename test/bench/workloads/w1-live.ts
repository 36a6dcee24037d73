/** W1: a change travels from one client through the relay to another: paced, and as fast as it goes. */
import { rawContender } from '../limits/raw-contender.ts'
import { rejoinContender } from '../contenders/rejoin-contender.ts'
import type { Contender } from '../contenders/contender.ts'
import { quantile } from '../figure.ts'
import { bytesSince, wireBytes } from '../measure/wire-bytes.ts'
import { burst, paced, sleep, until } from '../measure/waiting.ts'
import { entries, entryId } from '../records.ts'
import { compare, figuresOf, type Aim, type Readings, type Workload } from './workload.ts'

const count = 1000
const perSecond = 100

const aims: readonly Aim[] = [
  { figure: 'paced p50', unit: 'ms', target: { ratioMax: 1.3 } },
  { figure: 'paced bytes a change', unit: 'bytes', target: { max: 64 } },
  { figure: 'burst', unit: 'changes/s', target: { ratioMin: 1.5 } },
  { figure: 'burst bytes a change', unit: 'bytes', target: { max: 8 } },
  { figure: 'burst server CPU a change', unit: 'µs', target: { ratioMax: 1 } },
]

export const live: Workload = {
  name: 'W1',
  about: 'a change travels A → relay → B: 100 a second, and 20,000 as fast as it goes',
  async run(rounds, extent) {
    const [pacedCount, burstCount] = extent === 'full' ? [2000, 20_000] : [200, 4000]
    const readings = await compare({ rejoin: rejoinContender, limit: rawContender }, rounds, contender =>
      measure(contender, pacedCount, burstCount),
    )
    return figuresOf('W1', aims, readings)
  },
}

async function measure(contender: Contender, pacedCount: number, burstCount: number): Promise<Readings> {
  const server = await contender.start()
  const a = await contender.connect(server, 'w1')
  a.bulk(entries(count))
  await sleep(500)
  const b = await contender.connect(server, 'w1')
  await until(() => b.count() === count, 'the second client has all')

  const begun = new Map<number, number>()
  const latencies: number[] = []
  b.onNumber(n => {
    const since = begun.get(n)
    if (since === undefined) return
    begun.delete(n)
    latencies.push(performance.now() - since)
  })
  const pacedFrom = wireBytes()
  await paced(pacedCount, perSecond, i => {
    begun.set(1e6 + i, performance.now())
    a.set(entryId(i % count), 'n', 1e6 + i)
  })
  await until(() => latencies.length === pacedCount, 'all paced changes have come')
  await sleep(100)
  const pacedBytes = bytesSince(pacedFrom) / pacedCount

  const burstFrom = wireBytes()
  const cpuBefore = server.cpuMs()
  const start = performance.now()
  await burst(burstCount, i => a.set(entryId(i % count), 'n', 2e6 + i))
  const last = Array.from({ length: count }, (_, i) => burstCount - count + i)
  await until(() => last.every(i => b.get(entryId(i % count), 'n') === 2e6 + i), 'the burst has come')
  const burstMs = performance.now() - start
  await sleep(200)
  const readings = {
    'paced p50': quantile(latencies, 0.5),
    'paced bytes a change': pacedBytes,
    burst: (burstCount / burstMs) * 1000,
    'burst bytes a change': bytesSince(burstFrom) / burstCount,
    'burst server CPU a change': ((server.cpuMs() - cpuBefore) * 1000) / burstCount,
  }
  await a.close()
  await b.close()
  await server.stop()
  return readings
}
