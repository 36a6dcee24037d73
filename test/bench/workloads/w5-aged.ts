/** Of W5: what a new replica costs in bytes where every field has a mark of its own, and not a whole document one. */
import { agedWrites } from '../contenders/aged-writes.ts'
import { rejoinContender } from '../contenders/rejoin-contender.ts'
import { openSeeder } from '../contenders/rejoin-seed.ts'
import { figureOf, type Figure } from '../figure.ts'
import { bytesSince, wireBytes } from '../measure/wire-bytes.ts'
import { sleep, until } from '../measure/waiting.ts'

export async function measureAged(documents: number): Promise<Figure> {
  const server = await rejoinContender.start()
  const seeder = await openSeeder(server.port, 'aged')
  await seeder.write(agedWrites(documents, Date.now()))
  seeder.end()
  // Until the relay has stored its pages.
  await sleep(2500)
  const from = wireBytes()
  const client = await rejoinContender.connect(server, 'aged')
  await until(() => client.count() === documents, 'all')
  await sleep(200)
  const bytes = bytesSince(from)
  await client.close()
  await server.stop()
  return figureOf({ workload: 'W5 aged', figure: 'bytes', unit: 'bytes' }, { max: 750_000 }, bytes, null)
}
