// Three relays that know nothing of each other, and a client that writes to all of them at once: a quorum is what two of
// them have on their disks, whichever two, and what was away is brought up to date by what the client kept for it.
import { openReplica } from '@rejoin/client'
import { expect, onTestFinished, test } from 'vitest'
import { describe, notes, openNewcomer, readAll, type NodeClient } from './harness/node-client.ts'
import { startRelayProcess } from './harness/relay-process.ts'
import { until } from './harness/until.ts'

test('[L2] with one of three relays killed all goes on, with two killed a quorum is not claimed, and in the end all three have all', async () => {
  const relays = await Promise.all([startRelayProcess(), startRelayProcess(), startRelayProcess()])
  onTestFinished(async () => {
    await Promise.all(relays.map(relay => relay.close()))
  })
  const [, second, third] = relays
  const client: NodeClient = await openReplica({
    space: 'team',
    name: 'alice in quorum',
    collections: { notes },
    relays: relays.map(({ url }) => url),
    mode: 'quorum',
    write: 2,
    read: 2,
    token: () => 'alice',
  })
  onTestFinished(() => client.close())
  let written = 0
  const write = (): ReturnType<NodeClient['notes']['insert']> => {
    written += 1
    return client.notes.insert({
      title: `note ${written}`,
      color: 'teal',
      views: written,
      body: `text ${written}`,
    })
  }
  const online = (): number =>
    client.status.get().relays.filter(({ connection }) => connection === 'online').length
  await write().reached('quorum')
  await until(
    () => online() === 3,
    () => `all three are there: ${describe(client)}`,
  )

  await third.kill()
  for (let i = 0; i < 50; i++) await write().reached('quorum', { timeoutMs: 10_000 })
  await until(
    () => online() === 2,
    () => `the loss of one shows: ${describe(client)}`,
  )
  await until(
    () => client.status.get().synced,
    () => `two are enough to be synced: ${describe(client)}`,
  )

  await second.kill()
  const alone = write()
  await alone.reached('relay')
  await expect(alone.reached('quorum', { timeoutMs: 1500 })).rejects.toMatchObject({
    code: 'ack-timeout',
    details: { reached: 'relay', wanted: 'quorum' },
  })
  const local = write()
  await local.reached('local')
  expect(client.notes.get(local.id)?.views).toBe(written)
  expect(client.status.get()).toMatchObject({ connection: 'online', synced: false })

  await second.start()
  await third.start()
  await Promise.all([alone.reached('quorum'), local.reached('quorum')])
  await until(
    () => client.status.get().relays.every(({ waiting, caughtUp }) => waiting === 0 && caughtUp),
    () => `nothing waits for any of them: ${describe(client)}`,
    60_000,
  )
  const shown = await readAll(client)
  expect(Object.keys(shown)).toHaveLength(written)
  for (const { url } of relays) {
    const newcomer = await openNewcomer(url)
    expect(await readAll(newcomer), url).toEqual(shown)
    await newcomer.close()
  }
  for (const { log } of relays) expect(log.filter(({ level }) => level >= 50)).toEqual([])
}, 120_000)
