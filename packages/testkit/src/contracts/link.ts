/**
 * The contract of the `Connect` and `Link` ports: whole frames, in order, until the link ends, which is told once.
 * Whoever carries frames over something else runs it with the test runner at hand. Each claim gets an address of its
 * own. That something does not happen is shown by what comes later over another link, never by waiting.
 */
import { fill, withStage, type LinkHarness, type Stage } from './link-stage.ts'
import type { ContractRunner } from './storage.ts'

const sizes: readonly number[] = [1, 2, 125, 126, 127, 1400, 65_535, 65_536, 65_537, 1 << 20]

/** `name` goes in front of each claim. */
export function linkContract(name: string, harness: LinkHarness, { test, equal }: ContractRunner): void {
  const claim = (text: string, run: (stage: Stage) => Promise<void>): void => {
    test(`${name}: ${text}`, () => withStage(harness, run))
  }

  claim('a link opens once, later than it was asked for, and before its first frame', async stage => {
    const near = stage.call({ taken: end => end.send(fill(3)) })
    equal(near.told, [])
    await stage.until(() => near.frames.length === 1)
    equal(near.told, ['opened', 'frame'])
  })

  claim('frames from 1 byte to 1 MiB arrive whole and as they were, both ways', async stage => {
    const { near, link, far } = await stage.open()
    for (const size of sizes) link.send(fill(size))
    for (const size of sizes) far.end.send(fill(size, 7))
    await stage.until(() => near.frames.length === sizes.length && far.frames.length === sizes.length)
    sizes.forEach((size, i) => {
      equal(sameBytes(far.frames[i], fill(size)), true)
      equal(sameBytes(near.frames[i], fill(size, 7)), true)
    })
  })

  claim('a view of a larger buffer arrives as the view', async stage => {
    const { near, link, far } = await stage.open()
    link.send(Uint8Array.of(9, 0, 255, 9).subarray(1, 3))
    far.end.send(Uint8Array.of(9, 1, 254, 9).subarray(1, 3))
    await stage.until(() => near.frames.length === 1 && far.frames.length === 1)
    equal([...(far.frames[0] ?? [])], [0, 255])
    equal([...(near.frames[0] ?? [])], [1, 254])
  })

  claim('many frames arrive in order, both ways at once', async stage => {
    const { near, link, far } = await stage.open()
    const numbers = Array.from({ length: 500 }, (_, i) => i)
    for (const number of numbers) {
      link.send(numbered(number))
      far.end.send(numbered(number))
    }
    await stage.until(() => near.frames.length === numbers.length && far.frames.length === numbers.length)
    equal(near.frames.map(numberOf), numbers)
    equal(far.frames.map(numberOf), numbers)
  })

  claim(
    'what is closed here is closed once, soon, with its code and reason, and nothing follows',
    async stage => {
      const { near, link, far } = await stage.open()
      link.close(4001, 'enough')
      equal(near.told, ['opened'])
      for (let i = 0; i < 10; i++) far.end.send(fill(100))
      link.close(4002, 'again')
      await stage.until(() => near.told.length > 1 && far.told.includes('closed'))
      far.end.send(fill(100))
      link.close(4003, 'and again')
      await stage.later()
      equal(near.told, ['opened', 'closed 4001 enough'])
      equal(far.told, ['closed'])
    },
  )

  claim('what is closed without a code is closed with 1000', async stage => {
    const { near, link, far } = await stage.open()
    link.close()
    await stage.until(() => near.told.length > 1 && far.told.includes('closed'))
    equal(near.told, ['opened', 'closed 1000 '])
  })

  claim(
    'what the other end sent before it closed comes first, then its code and reason, once',
    async stage => {
      const { near, far } = await stage.open()
      for (let i = 0; i < 3; i++) far.end.send(fill(70_000))
      far.end.close(4401, 'no such token')
      await stage.until(() => near.told.length >= 5)
      await stage.later()
      equal(near.told, ['opened', 'frame', 'frame', 'frame', 'closed 4401 no such token'])
      await stage.until(() => far.told.includes('closed'))
      equal(far.told, ['closed'])
    },
  )

  claim('both ends may close at once, and each is told once', async stage => {
    const { near, link, far } = await stage.open()
    far.end.close(4005, 'there')
    link.close(4004, 'here')
    await stage.until(() => near.told.length > 1 && far.told.includes('closed'))
    await stage.later()
    equal(near.told, ['opened', 'closed 4004 here'])
    equal(far.told, ['closed'])
  })

  claim('an end that vanishes is closed with 1006', async stage => {
    const { near, link } = await stage.open()
    stage.vanish()
    await stage.until(() => near.told.length > 1)
    link.send(fill(5))
    link.close(4001, 'late')
    await stage.later()
    equal(near.told[1]?.startsWith('closed 1006'), true)
    equal(near.told.length, 2)
  })

  claim('a link may be closed in the very call that brings it, or a frame of it', async stage => {
    const first = stage.call({ opened: link => link.close(4001, 'at once'), taken: end => end.send(fill(9)) })
    await stage.until(() => first.told.length > 1 && stage.fars[0]?.told.includes('closed') === true)
    const second = await stage.open({ frame: () => second.link.close(4002, 'heard enough') })
    for (let i = 0; i < 5; i++) second.far.end.send(fill(9))
    await stage.until(() => second.near.told.length > 2)
    await stage.later()
    equal(first.told, ['opened', 'closed 4001 at once'])
    equal(second.near.told, ['opened', 'frame', 'closed 4002 heard enough'])
  })

  claim('what is sent after the end goes nowhere and harms nobody', async stage => {
    const closedHere = await stage.open()
    closedHere.link.close(4001, '')
    closedHere.link.send(fill(10))
    const closedThere = await stage.open()
    closedThere.far.end.close(4002, '')
    await stage.until(() => closedHere.near.told.length > 1 && closedThere.near.told.length > 1)
    for (const { link } of [closedHere, closedThere]) {
      link.send(fill(10))
      equal(typeof link.buffered(), 'number')
      link.close()
    }
    await stage.later()
    equal(closedHere.far.frames.length + closedThere.far.frames.length, 0)
    equal(closedThere.near.told, ['opened', 'closed 4002 '])
  })

  claim('who gives up before a link is open hears nothing of it', async stage => {
    const near = stage.call({ taken: end => end.send(fill(10)) })
    near.giveUp()
    near.giveUp()
    await stage.later()
    equal(near.told, [])
    await stage.until(() => stage.fars.every(far => far.told.includes('closed')))
  })

  claim('buffered grows with what is sent and falls to nothing when it has gone', async stage => {
    const { link, far } = await stage.open()
    equal(link.buffered(), 0)
    link.send(fill(1 << 20))
    const one = link.buffered()
    for (let i = 1; i < 8; i++) link.send(fill(1 << 20))
    equal(one > 0 && link.buffered() > one, true)
    await stage.until(() => far.frames.length === 8)
    for (let i = 0; i < 50 && link.buffered() > 0; i++) await stage.later()
    equal(link.buffered(), 0)
  })

  for (const url of harness.unreachable) {
    claim(`at ${JSON.stringify(url)} a link is closed once, later, and nothing is thrown`, async stage => {
      const near = stage.call({}, url)
      equal(near.told, [])
      await stage.until(() => near.told.length > 0)
      near.giveUp()
      await stage.later()
      equal(near.told.length, 1)
      equal(near.told[0]?.startsWith('closed 1006'), true)
      const other = stage.call({}, url)
      other.giveUp()
      await stage.later()
      equal(other.told, [])
    })
  }

  claim('many links at once are told apart, and the end of one is not the end of another', async stage => {
    const pairs: Awaited<ReturnType<Stage['open']>>[] = []
    for (let i = 0; i < 12; i++) pairs.push(await stage.open())
    pairs.forEach(({ link, far }, i) => {
      link.send(numbered(i))
      far.end.send(numbered(100 + i))
    })
    await stage.until(() => pairs.every(({ near, far }) => near.frames.length + far.frames.length === 2))
    pairs.forEach(({ link }, i) => void (i % 2 === 0 && link.close(4000 + i, '')))
    await stage.until(() => pairs.every(({ far }, i) => i % 2 === 1 || far.told.includes('closed')))
    pairs.forEach(({ link, far }, i) => {
      link.send(numbered(200 + i))
      far.end.send(numbered(300 + i))
    })
    await stage.until(() =>
      pairs.every(({ near, far }, i) => i % 2 === 0 || near.frames.length + far.frames.length === 4),
    )
    pairs.forEach(({ near, far }, i) => {
      const open = i % 2 === 1
      equal(near.frames.map(numberOf), open ? [100 + i, 300 + i] : [100 + i])
      equal(far.frames.map(numberOf), open ? [i, 200 + i] : [i])
      equal(near.told.at(-1), open ? 'frame' : `closed ${4000 + i} `)
    })
  })
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i])
}

function numbered(number: number): Uint8Array {
  return Uint8Array.of(number >> 8, number & 0xff)
}

function numberOf(bytes: Uint8Array): number {
  return ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)
}
