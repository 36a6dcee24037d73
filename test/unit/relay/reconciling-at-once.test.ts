// After a relay was put back everybody reconciles at once: what that takes is made once for all, between two commits.
import { createRowIndex, firstRanges, type Frame, type RangeFrame, type StoreId } from '@rejoin/core'
import { helloWith } from '@rejoin/testkit'
import { expect, test } from 'vitest'
import { insertOf } from '../core/relay-scene.ts'
import { attach, openKernel, openStore, settle } from './bare-kernel.ts'

test('[R1] all rows are looked through once for all that begin to reconcile between two commits', async () => {
  const opened = await openStore()
  let walks = 0
  const kernel = await openKernel({
    store: {
      ...opened,
      all(space) {
        walks += 1
        return opened.all(space)
      },
    },
  })
  async function open() {
    const heard: Frame[] = []
    const session = attach(kernel, frame => void heard.push(frame))
    const say = async (frame: Frame): Promise<void> => {
      session.receive(frame)
      await settle(20)
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
