// Pages that a relay has stored for new replicas, while it is killed as it stores them, started again, and its file put
// back from an older copy: whoever comes new has what those have who were there all along.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { createChance, type Chance } from '@rejoin/testkit'
import { expect, onTestFinished, test } from 'vitest'
import {
  openNewcomer,
  openNodeClient,
  readBody,
  untilSynced,
  type NodeClient,
} from './harness/node-client.ts'
import { startRelayProcess, type RelayProcess } from './harness/relay-process.ts'
import { until } from './harness/until.ts'
import { soak } from '../soak.ts'

const seeds = Array.from({ length: soak(10, 1) }, (_, i) => 40 + i)
const rounds = 8

test.each(seeds)(
  '[P4, F2] whatever becomes of a relay and its file, who comes new is sent what is there (seed %i)',
  async seed => {
    const chance = createChance(seed)
    const relay = await startRelayProcess()
    onTestFinished(() => relay.close())
    const alice = await openNodeClient({ url: relay.url, user: 'alice' })
    onTestFinished(() => alice.close())
    insert(alice, 0, 1500)
    await untilSynced([alice])
    await until(() => countPages(relay) > 0, 'pages are stored')
    await relay.stop()
    const folder = mkdtempSync(join(tmpdir(), 'rejoin-copy-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const copy = join(folder, 'copy.db')
    copyFileSync(relay.path, copy)
    await relay.start()

    let count = 1500
    for (let round = 0; round < rounds; round++) {
      const ends = round === rounds / 2 ? 'put back' : chance.chance(0.5) ? 'killed' : 'stopped'
      for (let i = 0; i < 60; i++) change(alice, `n${chance.below(count)}`, chance)
      // After so many the relay stores pages again, once it rests: it may be killed before, while it does, or later.
      if (chance.chance(0.5)) insert(alice, count, (count += 600))
      alice.resume()
      await untilSynced([alice])
      await delay(chance.below(1500))
      if (ends === 'stopped') await relay.stop()
      else await relay.kill()
      if (ends === 'put back') putBack(relay, copy)
      await relay.start()
      // Who comes before what was lost is given back has what the copy had; all have the same in the end.
      const early = chance.chance(0.5) ? await openNewcomer(relay.url) : null
      alice.resume()
      await untilSynced([alice])
      const late = await openNewcomer(relay.url)
      for (const one of [early, late]) {
        if (one === null) continue
        await until(
          async () => (await show(one)) === (await show(alice)),
          () => `${one === early ? 'early' : 'late'}: all is here in round ${round}, ${ends}`,
        )
        await one.close()
      }
    }
    expect(countPages(relay)).toBeGreaterThan(0)
  },
)

function insert(client: NodeClient, from: number, to: number): void {
  for (let i = from; i < to; i++)
    client.notes.insert(
      { title: `title ${i}`, color: 'new', tags: [], body: i % 200 === 0 ? `text ${i}` : '' },
      { id: `n${i}` },
    )
}

function change(client: NodeClient, id: string, chance: Chance): void {
  if (client.notes.get(id) === undefined) return void client.notes.undelete(id)
  if (chance.chance(0.3)) client.notes.delete(id)
  else client.notes.update(id, { color: `color ${chance.below(1000)}` })
}

function putBack(relay: RelayProcess, copy: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${relay.path}${suffix}`, { force: true })
  copyFileSync(copy, relay.path)
}

function countPages({ path }: RelayProcess): number {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return Number(database.prepare('select count(*) as pages from pages').get()?.['pages'])
  } finally {
    database.close()
  }
}

/** Every document, and the texts of those that were given any. */
async function show(client: NodeClient): Promise<string> {
  const documents = client.notes.query().get()
  const texts = documents.filter(({ id }) => Number(id.slice(1)) % 200 === 0)
  return JSON.stringify([documents, await Promise.all(texts.map(({ id }) => readBody(client, id)))])
}
