// Who offers again what is stored is told so without a commit: then, too, it is only said if it is still on disk.
import { RejoinError, type Frame } from '@rejoin/core'
import { expect, test } from 'vitest'
import { insertOf } from '../core/relay-scene.ts'
import { attach, helloOf, openKernel, openStore, settle } from './bare-kernel.ts'

test('[A1] what is offered again is not acknowledged once what is stored is no longer where it was', async () => {
  const opened = await openStore()
  let isGone = false
  let looks = 0
  const kernel = await openKernel({
    store: {
      ...opened,
      async assertKept() {
        looks += 1
        if (isGone) throw new RejoinError('storage-closed', { reason: 'gone' }, 'The file was removed.')
      },
    },
  })
  const said: Frame[] = []
  const session = attach(kernel, frame => said.push(frame))
  session.receive(helloOf(1))
  await settle()
  const submit = async (): Promise<Frame | undefined> => {
    session.receive({ type: 'submit', round: 0, transactions: [insertOf('a', 1)] })
    await settle()
    return said.at(-1)
  }
  expect(await submit()).toMatchObject({ type: 'verdict', count: 1, exceptions: [] })
  // A commit looks for itself.
  expect(looks).toBe(0)
  expect(await submit()).toMatchObject({ type: 'verdict', count: 2, exceptions: [] })
  expect(looks).toBe(1)
  isGone = true
  expect(await submit()).toMatchObject({ type: 'refuse', error: { code: 'overloaded' } })
})
