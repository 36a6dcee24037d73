// A relay that is killed in the middle of its work, again and again, while four clients write: whatever it has
// acknowledged is there afterwards.
import { createChance } from '@rejoin/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { beginLoad, claimAll, createLedger, sharedId } from './harness/load.ts'
import {
  describe,
  openNewcomer,
  openNodeClient,
  readAll,
  untilSame,
  type NodeClient,
} from './harness/node-client.ts'
import { startRelayProcess } from './harness/relay-process.ts'
import { until } from './harness/until.ts'
import { soak } from '../soak.ts'

const kills = soak(500, 50)
const users = ['alice', 'bob', 'carol', 'dave']
const seed = Number(process.env['REJOIN_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

test(`[A1] no acknowledged write is missing after ${kills} SIGKILLs under load (seed ${seed})`, {
  timeout: kills * 3600,
}, async () => {
  const chance = createChance(seed)
  const relay = await startRelayProcess()
  onTestFinished(() => relay.close())
  const clients: NodeClient[] = []
  onTestFinished(async () => {
    await Promise.all(clients.map(client => client.close()))
  })
  for (const user of users) clients.push(await openNodeClient({ url: relay.url, user }))
  let repairs = 0
  for (const client of clients) client.on('repaired', () => (repairs += 1))
  const ledger = createLedger()
  await clients[0]?.notes
    .insert({ title: 's', color: 's', body: 'lines:\n' }, { id: sharedId })
    .reached('relay')
  await until(
    () => clients.every(client => client.notes.get(sharedId) !== undefined),
    'all have the document',
  )
  const loads = await Promise.all(
    clients.map((client, i) => beginLoad(client, users[i] ?? '', ledger, chance.fork())),
  )
  const inFlight = (): number => loads.reduce((sum, load) => sum + load.inFlight, 0)
  const checkLoads = (): void => {
    for (const { fault } of loads) if (fault !== null) throw fault
  }

  let survived = 0
  let hitInFlight = 0
  const missing: string[] = []
  for (let kill = 1; kill <= kills; kill++) {
    const before = ledger.acknowledged
    const wanted = 5 + chance.below(60)
    await until(
      () => {
        checkLoads()
        return ledger.acknowledged >= before + wanted
      },
      () => `the load goes on before kill ${kill} (seed ${seed}): ${clients.map(describe).join(', ')}`,
    )
    await within0to(chance.below(20))
    // At a moment when something is on its way: a kill between two writes would show nothing.
    await until(() => inFlight() > 0, `the load goes on before kill ${kill} (seed ${seed})`)
    hitInFlight += 1
    await relay.kill()
    const claim = claimAll(ledger)
    // Clients would give back what the relay lost; so they stay away until somebody has looked.
    for (const client of clients) client.pause()
    await relay.start()
    const newcomer = await openNewcomer(relay.url)
    const wrong = await claim(newcomer)
    await newcomer.close()
    for (const client of clients) client.resume()
    if (wrong.length === 0) survived += 1
    missing.push(...wrong.map(what => `after kill ${kill}: ${what}`))
  }
  for (const load of loads) load.stop()
  await untilSame(clients)
  checkLoads()

  // In the end nothing is in flight, so what is shown is exactly what was written, once.
  const claim = claimAll(ledger)
  const newcomer = await openNewcomer(relay.url)
  onTestFinished(() => newcomer.close())
  const shown = await readAll(newcomer)
  expect(missing, `seed ${seed}`).toEqual([])
  for (const client of [...clients, newcomer]) {
    expect(await claim(client), `seed ${seed}`).toEqual([])
    expect(await readAll(client), `seed ${seed}`).toEqual(shown)
  }
  expect(newcomer.notes.get(sharedId)?.views, `seed ${seed}`).toBe(ledger.views.written)
  expect(
    relay.log.filter(({ level }) => level >= 50),
    `seed ${seed}`,
  ).toEqual([])
  expect([survived, hitInFlight], `seed ${seed}`).toEqual([kills, kills])
  console.log(
    `${survived} of ${kills}: ${ledger.acknowledged} acknowledged writes, ${hitInFlight} kills with writes in flight`,
  )
})

/** A random moment of the work that goes on. */
function within0to(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
