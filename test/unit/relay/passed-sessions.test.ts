// A leader's half of passing on: what goes wrong with one session that a follower passes on costs no other one.
import { createDictionary, decodeFrame, type Frame, type StoreId } from '@rejoin/core'
import { createKernel, createMemoryDisk } from '@rejoin/relay/kernel'
import { createChance, createScope, createSimulatedClock, helloWith } from '@rejoin/testkit'
import { expect, test } from 'vitest'

test('[Q2] whose right to write cannot be found out is sent away alone, and who else is passed on is not', async () => {
  const clock = createSimulatedClock()
  const scope = createScope(clock)
  const chance = createChance(1)
  const errors: string[] = []
  const kernel = createKernel({
    peerToken: 'peers',
    token: async () => null,
    access: async user => {
      if (user === 'mallory') throw new Error('the table of users cannot be read')
      return 'write'
    },
    accept: () => true,
    store: await createMemoryDisk(length => chance.bytes(length)).open(),
    runtime: {
      now: () => clock.time,
      monotonic: () => clock.time,
      randomBytes: length => chance.bytes(length),
      after: (delayMs, run) => scope.after(delayMs, run),
    },
    log: { error: (_, message) => void errors.push(message), info: () => {}, debug: () => {} },
  })
  const said: Frame[] = []
  const told: unknown[] = []
  const names = createDictionary()
  const follower = kernel.attach({
    address: '',
    buffered: () => 0,
    send(bytes) {
      const decoded = decodeFrame(bytes, names)
      if (!decoded.ok) throw new Error(decoded.error.code)
      const frame = decoded.value
      if (frame.type !== 'passed') return void said.push(frame)
      const { session, content } = frame
      const passed = content.kind === 'frame' ? decodeFrame(content.bytes) : null
      told.push([session, passed?.ok === true ? passed.value : content.kind])
    },
    close: () => {},
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
