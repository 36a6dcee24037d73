/** Of W5: what it costs the relay to send a new replica what was written a moment ago, and has not rested since. */
import { rejoinContender } from '../contenders/rejoin-contender.ts'
import { openSeeder } from '../contenders/rejoin-seed.ts'
import { figureOf, median, type Figure } from '../figure.ts'
import { until } from '../measure/waiting.ts'

/** Pages that are there cost about half a microsecond a document to send, and encoding them ten. */
const aim = { max: 2 }

export async function measureImported(documents: number, rounds: number): Promise<Figure> {
  const readings: number[] = []
  for (let round = 0; round < rounds; round++) readings.push(await measure(documents))
  const named = { workload: 'W5 imported', figure: 'relay CPU of who comes first', unit: 'µs a document' }
  return figureOf(named, aim, median(readings), null)
}

async function measure(documents: number): Promise<number> {
  const server = await rejoinContender.start()
  const seeder = await openSeeder(server.port, 'imported')
  await seeder.seed(0, documents)
  const before = server.cpuMs()
  const client = await rejoinContender.connect(server, 'imported')
  await until(() => client.count() === documents, 'all')
  const used = server.cpuMs() - before
  await client.close()
  seeder.end()
  await server.stop()
  return (used * 1000) / documents
}
