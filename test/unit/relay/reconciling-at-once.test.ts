// After a relay was put back everybody reconciles at once: what that takes is made once for all, between two commits.
import {
  createDictionary,
  createRowIndex,
  decodeFrame,
  firstRanges,
  type Frame,
  type RangeFrame,
  type StoreId,
} from '@rejoin/core'
import { createKernel, createMemoryDisk } from '@rejoin/relay/kernel'
import { createChance, helloWith } from '@rejoin/testkit'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { insertOf } from '../core/relay-scene.ts'

test('[R1] all rows are looked through once for all that begin to reconcile between two commits', async () => {
  const chance = createChance(1)
  const opened = await createMemoryDisk(length => chance.bytes(length)).open()
  let walks = 0
  const kernel = createKernel({
    store: {
      ...opened,
      all(space) {
        walks += 1
        return opened.all(space)
      },
    },
    runtime: {
      now: () => 1000,
      monotonic: () => 0,
      randomBytes: length => chance.bytes(length),
      after: () => () => {},
    },
    token: async token => ({ user: token }),
    access: async () => 'write',
    accept: () => true,
    log: { error: () => {}, info: () => {}, debug: () => {} },
  })
  async function open() {
    const names = createDictionary()
    const heard: Frame[] = []
    const session = kernel.attach({
      address: '',
      buffered: () => 0,
      send(bytes) {
        const decoded = decodeFrame(Uint8Array.from(bytes), names)
        if (decoded.ok) heard.push(decoded.value)
      },
      close: () => {},
    })
    const say = async (frame: Frame): Promise<void> => {
      session.receive(frame)
      for (let i = 0; i < 20; i++) await turn()
    }
    await say(helloWith({ replica: 'AAAAAAAAAAE' as StoreId, empty: false }))
    return {
      say,
      /** How many rows the relay names to who has none. */
      async reconcile(): Promise<number> {
        await say({ type: 'range', ranges: firstRanges(createRowIndex([])) })
        const { ranges } = heard.findLast((frame): frame is RangeFrame => frame.type === 'range') ?? {
          ranges: [],
        }
        return ranges.reduce(
          (sum, { content }) => sum + (content.kind === 'items' ? content.items.length : 0),
          0,
        )
      },
    }
  }
  const [first, second, third] = [await open(), await open(), await open()]
  await first.say({ type: 'submit', round: 0, transactions: [insertOf('a', 500)] })
  expect([await first.reconcile(), await second.reconcile(), walks]).toEqual([1, 1, 1])
  await first.say({ type: 'submit', round: 0, transactions: [insertOf('b', 600)] })
  expect([await third.reconcile(), await second.reconcile(), walks]).toEqual([2, 1, 2])
})
