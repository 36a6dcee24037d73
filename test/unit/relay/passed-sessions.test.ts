// A leader's half of passing on: what goes wrong with one session that a follower passes on costs no other one.
import { decodeFrame, type Frame, type StoreId } from '@rejoin/core'
import { helloWith } from '@rejoin/testkit'
import { expect, test } from 'vitest'
import { attach, openKernel, simulatedRuntime } from './bare-kernel.ts'

test('[Q2] whose right to write cannot be found out is sent away alone, and who else is passed on is not', async () => {
  const { clock, runtime } = simulatedRuntime()
  const errors: string[] = []
  const kernel = await openKernel({
    runtime,
    peerToken: 'peers',
    token: async () => null,
    access: async user => {
      if (user === 'mallory') throw new Error('the table of users cannot be read')
      return 'write'
    },
    log: { error: (_, message) => void errors.push(message), info: () => {}, debug: () => {} },
  })
  const said: Frame[] = []
  const told: unknown[] = []
  const follower = attach(kernel, frame => {
    if (frame.type !== 'passed') return void said.push(frame)
    const { session, content } = frame
    const passed = content.kind === 'frame' ? decodeFrame(content.bytes) : null
    told.push([session, passed?.ok === true ? passed.value : content.kind])
  })
  follower.receive(helloWith({ role: 'peer', token: 'peers' }))
  await clock.advance(100)
  for (const [session, user] of ['alice', 'mallory', 'bob'].entries()) {
    const content = { kind: 'begin', user, replica: 'AAAAAAAAAAA' as StoreId, device: '' } as const
    follower.receive({ type: 'passed', session, content })
  }
  await clock.advance(100)
  expect(told).toMatchObject([
    [1, { type: 'refuse', error: { code: 'overloaded' } }],
    [1, 'end'],
    [0, { type: 'welcome', user: 'alice' }],
    [2, { type: 'welcome', user: 'bob' }],
  ])
  expect(said.map(({ type }) => type)).not.toContain('refuse')
  expect(errors).toEqual(['a session could not begin'])
})
