// A relay whose store fails for a while: whoever it could not serve is told so and sent away, and nobody else.
import { encodeFrame, RejoinError, type RelayStore } from '@rejoin/core'
import { createMemoryDisk, createRelay, nodeRuntime } from '@rejoin/relay'
import { expect, onTestFinished, test } from 'vitest'
import { openRawClient, type RawClient } from '../chaos/harness/raw-client.ts'
import { createRawWriter } from '../chaos/harness/raw-writer.ts'
import { until } from '../chaos/harness/until.ts'

interface Bench {
  /** Which calls of the store fail from now on. */
  failing: 'commit' | 'rows' | null
  readonly errors: string[]
  open(): Promise<RawClient>
}

const away = { code: 1013, error: { code: 'overloaded' } }

test('[A1] nobody is told of a generation that the disk does not have', async () => {
  const bench = await start()
  bench.failing = 'commit'
  const early = await bench.open()
  await expect(early.greet()).rejects.toThrow('did not welcome')
  expect(await early.refusal()).toMatchObject(away)
  expect(early.frames.map(({ type }) => type)).toEqual(['refuse'])
  await expect((await bench.open()).greet()).rejects.toThrow('did not welcome')
  // A disk that stays full is told once, however often people try.
  expect(bench.errors).toEqual(['a commit failed; nothing of it was acknowledged'])
  bench.failing = null
  const late = await bench.open()
  expect((await late.greet()).cursor.cut).toBe(0)
})

test.each(['commit', 'rows'] as const)(
  '[A1] who brought what could not be stored is sent away when %s fails, and who brought nothing is not',
  async call => {
    const bench = await start()
    const [author, reader] = [await bench.open(), await bench.open()]
    await author.greet()
    await reader.greet()
    const writer = createRawWriter('notes')
    expect(await author.submit([[writer.insert('a')]])).toEqual([null])
    bench.failing = call
    reader.send(encodeFrame({ type: 'heartbeat', position: 0, time: 0 }))
    await expect(author.submit([[writer.insert('b')]])).rejects.toThrow('no verdict')
    expect(await author.refusal()).toMatchObject(away)
    const again = await bench.open()
    await again.greet()
    await expect(again.submit([[writer.insert('b')]])).rejects.toThrow('no verdict')
    // A disk that stays full is told once, however often people try.
    expect(bench.errors).toEqual(['a commit failed; nothing of it was acknowledged'])
    expect(reader.end).toBe(null)

    bench.failing = null
    const last = await bench.open()
    await last.greet()
    expect(await last.submit([[writer.insert('b')]])).toEqual([null])
    await until(
      () => reader.frames.some(frame => frame.type === 'changes' && frame.rows.length > 0),
      'the reader has it',
    )
  },
)

async function start(): Promise<Bench> {
  const disk = createMemoryDisk(nodeRuntime.randomBytes)
  const errors: string[] = []
  const full = (call: Bench['failing']): void => {
    if (bench.failing === call) throw new RejoinError('storage-full', { reason: 'test' }, 'the disk is full')
  }
  const relay = createRelay({
    development: true,
    store: async (): Promise<RelayStore> => {
      const store = await disk.open()
      return {
        ...store,
        rows: async (...args) => (full('rows'), store.rows(...args)),
        commit: async commit => (full('commit'), store.commit(commit)),
      }
    },
    log: { error: (_, message) => errors.push(message), info: () => {}, debug: () => {} },
  })
  onTestFinished(() => relay.close())
  const { url } = await relay.listen({ port: 0 })
  const bench: Bench = {
    failing: null,
    errors,
    async open() {
      const client = await openRawClient(url)
      onTestFinished(() => client.close())
      return client
    },
  }
  return bench
}
