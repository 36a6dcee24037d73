import { deflating, streamDeflation, type Deflation } from '@rejoin/client'
import { isDeflated, limits, withDeflatedRest, type Connect, type Link, type LinkEvents } from '@rejoin/core'
import { deflateRawSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'

/** A link whose other end sends back what it gets, and that tells what went over it. */
function echo(): {
  readonly connect: Connect
  readonly sent: Uint8Array[]
  say(bytes: Uint8Array): void
  end(): void
} {
  const sent: Uint8Array[] = []
  let events: LinkEvents | null = null
  const link: Link = {
    send(bytes) {
      sent.push(bytes)
      events?.frame(bytes)
    },
    buffered: () => 0,
    close: (code = 1000, reason = '') => events?.closed(code, reason),
  }
  return {
    connect(_url, told) {
      events = told
      told.opened(link)
      return () => {}
    },
    sent,
    say: bytes => events?.frame(bytes),
    end: () => events?.closed(1006, ''),
  }
}

interface Heard {
  link: Link | null
  readonly told: (Uint8Array | string)[]
  /** Of each frame, whether others had come behind it. */
  readonly more: boolean[]
}

function hear(connect: Connect, deflation: Deflation | undefined): Heard {
  const heard: Heard = { link: null, told: [], more: [] }
  deflating(connect, deflation)('ws://relay', {
    opened: link => (heard.link = link),
    frame: (bytes, isMore = false) => {
      heard.told.push(bytes)
      heard.more.push(isMore)
    },
    closed: code => heard.told.push(`closed ${code}`),
  })
  return heard
}

const frame = (head: number, length: number): Uint8Array => new Uint8Array(length).fill(7).fill(head, 0, 1)

const deflated = (head: number): Uint8Array =>
  withDeflatedRest(frame(head, 1), deflateRawSync(new Uint8Array(100_000)))

describe.each([
  ['by what Node has', undefined, 300_000],
  ['by streams, as in browsers', streamDeflation, 5000],
] as const)('%s', (_, deflation, long) => {
  test('long frames are deflated on the way, and arrive as they were and in order', async () => {
    const { connect, sent, end } = echo()
    const { link, told } = hear(connect, deflation)
    const frames = [frame(1, 10), frame(2, long), frame(3, 10), frame(4, 5000), frame(5, 10)]
    for (const one of frames) link?.send(one)
    expect(told).toEqual([frames[0]])
    expect(link?.buffered()).toBe(long + 5020)
    await expect.poll(() => told.length).toBe(frames.length)
    end()
    expect(told).toEqual([...frames, 'closed 1006'])
    expect(sent.map(isDeflated)).toEqual([false, true, false, true, false])
    expect(sent[1]?.length).toBeLessThan(1000)
    expect(link?.buffered()).toBe(0)
  })

  test('what is there when the other end closes comes first', async () => {
    const { connect, sent, end } = echo()
    const { link, told } = hear(connect, deflation)
    link?.send(frame(2, 100_000))
    await expect.poll(() => sent.length).toBe(1)
    end()
    await expect.poll(() => told.length).toBe(2)
    expect(told).toEqual([frame(2, 100_000), 'closed 1006'])
  })

  test('after it was closed here nothing comes any more', async () => {
    const { connect, sent, say } = echo()
    const { link, told } = hear(connect, deflation)
    link?.send(frame(2, long))
    link?.close(4001, '')
    say(deflated(3))
    say(frame(4, 10))
    await expect.poll(() => sent.length).toBe(1)
    const later = hear(connect, deflation)
    say(deflated(5))
    await expect.poll(() => later.told.length).toBe(1)
    expect(told).toEqual(['closed 4001'])
  })

  test('what cannot be inflated, or becomes too long, comes as it is: no decoder takes it', async () => {
    const { connect } = echo()
    const { link, told } = hear(connect, deflation)
    const broken = Uint8Array.of(0x15, 255, 255, 255)
    const bomb = Uint8Array.from([0x15, ...deflateRawSync(new Uint8Array(limits.frameBytesMax + 1))])
    link?.send(broken)
    link?.send(bomb)
    await expect.poll(() => told.length).toBe(2)
    expect(told).toEqual([broken, bomb])
  })
})

test('by what Node has, what is not long is sent at once', () => {
  const { connect, sent } = echo()
  const { link, told } = hear(connect, undefined)
  link?.send(frame(2, 100_000))
  expect(sent.map(isDeflated)).toEqual([true])
  expect(told).toEqual([frame(2, 100_000)])
  expect(link?.buffered()).toBe(0)
})

test('nor what is being inflated when it is closed', async () => {
  const { connect, say } = echo()
  const { link, told } = hear(connect, streamDeflation)
  say(deflated(3))
  say(frame(4, 10))
  link?.close(4001, '')
  // It comes when everything before it was inflated.
  const later = hear(connect, streamDeflation)
  say(deflated(5))
  await expect.poll(() => later.told.length).toBe(1)
  expect(told).toEqual(['closed 4001'])
})

test('of what is inflated it is told whether others have come behind it', async () => {
  const { connect, say } = echo()
  const { told, more } = hear(connect, streamDeflation)
  say(deflated(3))
  say(frame(4, 10))
  await expect.poll(() => told.length).toBe(2)
  expect(more).toEqual([true, false])
})
