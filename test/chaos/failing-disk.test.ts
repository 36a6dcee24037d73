// A relay whose disk fails under it: it says yes to nothing that the disk has not, tells why, sends people away for a
// while, and goes on by itself when the disk does. What they wrote meanwhile waits with them.
import { RejoinError } from '@rejoin/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createDisk, faults, protections } from './harness/failing-disk.ts'
import {
  openNewcomer,
  openNodeClient,
  readAll,
  untilSame,
  untilSynced,
  type NodeClient,
} from './harness/node-client.ts'
import { openRawClient } from './harness/raw-client.ts'
import { createRawWriter } from './harness/raw-writer.ts'
import { startRelayProcess, type RelayProcess } from './harness/relay-process.ts'
import { until } from './harness/until.ts'

const failed = 'a commit failed; nothing of it was acknowledged'

describe.each(faults)('a disk that $name', ({ begin, isOfDisk }) => {
  test('[A1] keeps what was acknowledged, and gets the rest by itself once it can', async () => {
    const disk = createDisk()
    const relay = await startRelay(disk.folder)
    const [alice, bob] = [await open(relay, 'alice'), await open(relay, 'bob')]
    await write(alice, 'before')
    await untilSame([alice, bob])

    const end = begin(relay, disk)
    const waiting = Array.from({ length: 20 }, (_, i) => insert(alice, `meanwhile ${i}`, 1000))
    const late = await Promise.all(waiting)
    // Nobody was told that the disk has it, and they are told that they wait.
    expect(late).toEqual(late.map(() => 'ack-timeout, reached local'))
    expect(alice.status.get()).toMatchObject({ pending: 20, quarantined: 0, synced: false })
    await until(() => alice.status.get().reason === 'overloaded', 'alice is told why she waits')
    const raw = await openRawClient(relay.url)
    await raw.greet({ token: 'mallory' })
    await expect(raw.submit([[createRawWriter('notes').insert('raw')]])).rejects.toThrow('no verdict')
    expect(await raw.refusal()).toMatchObject({
      error: { code: 'overloaded', details: { retryAfterMs: 1000 } },
      code: 1013,
    })
    // Who only reads notices nothing.
    expect(bob.status.get()).toMatchObject({ connection: 'online', synced: true })
    const reader = await openNewcomer(relay.url)
    expect(Object.keys(await readAll(reader))).toEqual(['before'])
    await reader.close()
    expect(relay.log.filter(({ msg }) => msg === failed).length).toBe(1)

    end()
    await untilSynced([alice])
    await untilSame([alice, bob])
    expect(Object.keys(await readAll(bob)).length).toBe(21)
    expect(relay.log.filter(({ msg }) => msg === 'commits are on disk again').length).toBe(1)
  })

  test('[A1] is killed, and gives back all that it had acknowledged when it runs on a good disk', async () => {
    const disk = createDisk()
    const relay = await startRelay(disk.folder)
    const alice = await open(relay, 'alice')
    const acknowledged: string[] = []
    let end = (): void => {}
    let isFailing = false
    for (let i = 0; i < 60; i++) {
      const id = `n${i}`
      void alice.notes
        .insert({ title: id, color: 'x'.repeat(5000) }, { id })
        .reached('relay')
        .then(
          () => acknowledged.push(id),
          () => {},
        )
      if (i % 10 === 9) await until(() => isFailing || acknowledged.length === i + 1, 'it is acknowledged')
      if (i !== 39) continue
      end = begin(relay, disk)
      isFailing = true
    }
    await until(() => relay.log.some(({ msg }) => msg === failed), 'commits fail')
    expect(acknowledged.length).toBe(40)
    await relay.kill()
    if (isOfDisk) {
      await expect(relay.start()).rejects.toThrow('code 1')
      expect(relay.log.at(-1)?.msg).toContain(`${relay.path} cannot grow`)
    }
    end()
    alice.pause()
    await relay.start()
    const newcomer = await openNewcomer(relay.url)
    onTestFinished(() => newcomer.close())
    expect(Object.keys(await readAll(newcomer)).sort()).toEqual([...acknowledged].sort())
    alice.resume()
    await untilSame([alice, newcomer])
    expect(Object.keys(await readAll(newcomer)).length).toBe(60)
  })
})

test.each(protections)(
  'a relay on a disk that %s says so in one line and does not start, until it may',
  async () => {
    const disk = createDisk()
    const relay = await startRelay(disk.folder)
    const alice = await open(relay, 'alice')
    await write(alice, 'before')
    await relay.stop()
    disk.readOnly()
    const told = relay.log.length
    await expect(relay.start()).rejects.toThrow('code 1')
    const lines = relay.log.slice(told).map(({ msg }) => msg)
    expect(lines).toEqual([expect.stringContaining(relay.path)])
    await write(alice, 'meanwhile', 'ack-timeout, reached local')
    disk.writable()
    await relay.start()
    await untilSynced([alice])
    const newcomer = await openNewcomer(relay.url)
    onTestFinished(() => newcomer.close())
    expect(Object.keys(await readAll(newcomer)).sort()).toEqual(['before', 'meanwhile'])
  },
)

test('[A1] a relay whose folder was moved away says yes to nothing more and ends, and has it all when it is back', async () => {
  const disk = createDisk()
  const relay = await startRelay(disk.folder)
  const alice = await open(relay, 'alice')
  await write(alice, 'before')
  disk.takeAway()
  await write(alice, 'meanwhile', 'ack-timeout, reached local')
  expect(await relay.ended()).toBe(1)
  expect(relay.log.filter(({ msg }) => msg === 'the store is gone').length).toBe(1)
  disk.bringBack()
  await relay.start()
  await untilSynced([alice])
  const newcomer = await openNewcomer(relay.url)
  onTestFinished(() => newcomer.close())
  expect(Object.keys(await readAll(newcomer)).sort()).toEqual(['before', 'meanwhile'])
})

async function startRelay(data: string): Promise<RelayProcess> {
  const relay = await startRelayProcess({ data })
  onTestFinished(() => relay.close())
  return relay
}

async function open({ url }: RelayProcess, user: string): Promise<NodeClient> {
  const client = await openNodeClient({ url, user })
  onTestFinished(() => client.close())
  return client
}

/** Inserts a document and says what came of waiting for the relay. */
function insert(client: NodeClient, id: string, timeoutMs: number): Promise<string> {
  return client.notes
    .insert({ title: id, color: 'plain' }, { id })
    .reached('relay', { timeoutMs })
    .then(
      () => 'acknowledged',
      (error: unknown) =>
        error instanceof RejoinError && error.code === 'ack-timeout'
          ? `ack-timeout, reached ${(error as RejoinError<'ack-timeout'>).details.reached}`
          : String(error),
    )
}

async function write(client: NodeClient, id: string, outcome: string = 'acknowledged'): Promise<void> {
  expect(await insert(client, id, outcome === 'acknowledged' ? 20_000 : 1000)).toBe(outcome)
}
