// When a client's pull begins: behind the welcome, or once it has reconciled.
import { encodeFrame, noPositions } from '@rejoin/core'
import type { Frame, GenerationId, GiveFrame, PassedContent, StoreId, WelcomeFrame } from '@rejoin/core'
import type { Kernel } from '@rejoin/relay/kernel'
import { helloWith } from '@rejoin/testkit'
import { expect, test } from 'vitest'
import { insertOf } from '../core/relay-scene.ts'
import { attach, openKernel, settle } from './bare-kernel.ts'

const elsewhere = new Map([['BBBBBBBBBBB' as GenerationId, 5]])

test('[S1] who holds nothing is sent the feed behind the welcome, and once', async () => {
  const { say, types } = client(await openKernel())
  await say(helloWith())
  expect(types()).toEqual(['welcome', 'changes'])
  await say({ type: 'range', ranges: [] })
  expect(types()).toEqual(['welcome', 'changes'])
})

test('[S1] who goes on from a cut that covers its reach is sent what came since behind the welcome', async () => {
  const kernel = await openKernel()
  const { cursor } = await client(kernel).greeted()
  const { say, types } = client(kernel)
  await say(helloWith({ replica: 'CCCCCCCCCCC' as StoreId, empty: false, cursors: [cursor] }))
  expect(types()).toEqual(['welcome', 'changes'])
})

test('[S2, S3] who is to join or to give is sent the feed once it says that it has', async () => {
  const kernel = await openKernel()
  const { cursor } = await client(kernel).greeted()
  for (const cursors of [[], [cursor]]) {
    const { say, types } = client(kernel)
    await say(helloWith({ replica: 'CCCCCCCCCCC' as StoreId, empty: false, cursors, reach: elsewhere }))
    expect(types()).toEqual(['welcome'])
    await say({ type: 'range', ranges: [] })
    expect(types()).toEqual(['welcome', 'changes'])
  }
})

test('[S3] who gives is sent the feed behind the answer to what it says is the last', async () => {
  const { say, types } = client(await openKernel())
  await say(helloWith({ replica: 'CCCCCCCCCCC' as StoreId, empty: false, reach: elsewhere }))
  await say(giveOf('a', false))
  expect(types()).toEqual(['welcome', 'given'])
  await say(giveOf('b', true))
  expect(types()).toEqual(['welcome', 'given', 'given', 'changes'])
})

test('[S3, Q2] what is passed on is sent no feed: that is at the follower', async () => {
  const { say, types } = client(await openKernel({ peerToken: 'peers' }))
  await say(helloWith({ role: 'peer', token: 'peers' }))
  const pass = (content: PassedContent): Promise<void> => say({ type: 'passed', session: 1, content })
  await pass({ kind: 'begin', user: 'alice', replica: 'CCCCCCCCCCC' as StoreId, device: '' })
  const before = types().length
  await pass({ kind: 'frame', bytes: encodeFrame(giveOf('a', true)) })
  expect(types().slice(before)).toEqual(['passed'])
})

function giveOf(id: string, last: boolean): GiveFrame {
  const rows = insertOf(id, 500).writes.map(({ key, delta, texts }) => ({ key, row: delta, texts }))
  return { type: 'give', rows, last }
}

function client(kernel: Kernel) {
  const heard: Frame[] = []
  const session = attach(kernel, frame => void heard.push(frame))
  async function say(frame: Frame): Promise<void> {
    session.receive(frame)
    await settle()
  }
  return {
    say,
    types: () => heard.map(({ type }) => type),
    async greeted(): Promise<WelcomeFrame> {
      await say(helloWith({ reach: noPositions }))
      const [welcome] = heard
      if (welcome?.type !== 'welcome') throw new Error('it was not greeted')
      return welcome
    },
  }
}
