/** W7: durable writes that are acknowledged: 50 connections with 20 writes in flight each. */
import { rejoinContender } from '../contenders/rejoin-contender.ts'
import { rejoinAcknowledged } from '../contenders/rejoin-writers.ts'
import { rawContender } from '../limits/raw-contender.ts'
import { rawAcknowledged } from '../limits/raw-writers.ts'
import { compare, figuresOf, type Aim, type Workload } from './workload.ts'

const connections = 50
const inFlight = 20

const aims: readonly Aim[] = [
  { figure: 'acknowledged', unit: 'writes/s', target: { ratioMin: 0.8 } },
  { figure: 'server CPU a write', unit: 'µs', target: { ratioMax: 1.4 } },
]

export const acknowledged: Workload = {
  name: 'W7',
  about: 'acknowledged durable writes, 50 connections × 20 in flight',
  async run(rounds, extent) {
    const ms = extent === 'full' ? 4000 : 1500
    const readings = await compare(
      { rejoin: rejoinContender, limit: rawContender },
      rounds,
      async contender => {
        const server = await contender.start()
        const run = contender === rejoinContender ? rejoinAcknowledged : rawAcknowledged
        // The first half second warms both ends.
        await run(server.port, connections, inFlight, 500)
        const cpuBefore = server.cpuMs()
        const start = performance.now()
        const count = await run(server.port, connections, inFlight, ms)
        const took = performance.now() - start
        const cpuMs = server.cpuMs() - cpuBefore
        await server.stop()
        return { acknowledged: (count / took) * 1000, 'server CPU a write': (cpuMs * 1000) / count }
      },
    )
    return figuresOf('W7', aims, readings)
  },
}
