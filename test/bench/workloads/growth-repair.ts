/** Repair: a relay that lost one document of many, since its file is an older copy, gets it back without the others. */
import { collection, openReplica } from '@rejoin/client'
import { lww } from '@rejoin/resolve'
import { copyFileSync, rmSync } from 'node:fs'
import { startRelayProcess } from '../../chaos/harness/relay-process.ts'
import { anything } from '../contenders/anything.ts'
import { openSeeder } from '../contenders/rejoin-seed.ts'
import { figureOf } from '../figure.ts'
import { countLinks } from '../measure/counted-link.ts'
import { until } from '../measure/waiting.ts'
import type { Workload } from './workload.ts'

const recs = collection('recs', { n: lww(anything<number>()) })

export const repairing: Workload = {
  name: 'repair',
  about: 'one difference among 1,000,000 documents is found and healed',
  async run(_rounds, extent) {
    const { messages, bytes } = await measure(extent === 'full' ? 1_000_000 : 10_000)
    const workload = 'repair'
    return [
      figureOf({ workload, figure: 'messages', unit: 'messages' }, { max: 8 }, messages, null),
      figureOf({ workload, figure: 'bytes', unit: 'bytes' }, { max: 4096 }, bytes, null),
    ]
  },
}

async function measure(documents: number): Promise<{ readonly messages: number; readonly bytes: number }> {
  const relay = await startRelayProcess({ logLevel: 'error' })
  const seeder = await openSeeder(relay.port, 'repair')
  await seeder.seed(0, documents)
  seeder.end()
  const links = countLinks()
  const replica = await openReplica({
    space: 'repair',
    name: 'repair',
    collections: { recs },
    relays: [relay.url],
    token: () => 'writer',
    ports: { connect: links.connect },
  })
  const isLevel = (): boolean => replica.status.get().synced
  await until(isLevel, 'the replica has all')
  replica.pause()
  await relay.stop()
  const copy = `${relay.path}.copy`
  copyFileSync(relay.path, copy)
  await relay.start()
  replica.resume()
  await replica.recs.insert({ n: documents }, { id: 'lost' }).reached('relay')
  replica.pause()
  await relay.kill()
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${relay.path}${suffix}`, { force: true })
  copyFileSync(copy, relay.path)
  await relay.start()
  let gave = 0
  replica.on('repaired', repair => {
    gave += repair.gave
  })
  links.reset()
  replica.resume()
  await until(() => gave > 0 && isLevel(), 'the relay has what it lost')
  const { messages, bytes } = links
  await replica.close()
  await relay.close()
  if (gave !== 1) throw new Error(`${gave} rows were given for one that was lost`)
  // Hello and welcome open every session.
  return { messages: messages - 2, bytes }
}
