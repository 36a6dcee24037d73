// A socket that keeps no rule, against a real relay that others are using: what it sends is refused by its code, and
// nobody else notices.
import { randomBytes } from 'node:crypto'
import {
  documentKey,
  emptyRow,
  noTexts,
  encodeFrame,
  encodeValue,
  failure,
  limits,
  partName,
  writerFromBytes,
  type Failure,
  type Mark,
  type Write,
} from '@rejoin/core'
import { createChance } from '@rejoin/testkit'
import { convertUpdateFormatV1ToV2 } from 'yjs'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { nested, objectWith, refuseFrameWith } from './harness/forged-bytes.ts'
import { openNeighbour, type Neighbour } from './harness/neighbour.ts'
import { openRawClient, rawHello, submitOf, type RawClient } from './harness/raw-client.ts'
import { createRawWriter, titlePart, type RawWriter } from './harness/raw-writer.ts'
import { editOf, textUpdate } from './harness/raw-texts.ts'
import { startRelayProcess, type RelayProcess } from './harness/relay-process.ts'
import { readStored, type Stored } from './harness/stored.ts'
import { until } from './harness/until.ts'

const diary = 'diary'
let relay: RelayProcess
let neighbour: Neighbour
/** An honest user with a document and a text. */
let alice: RawWriter
let aliceText: Uint8Array
let aliceMark: Mark

beforeAll(async () => {
  relay = await startRelayProcess()
  const client = await openRawClient(relay.url)
  await client.greet({ token: 'alice' })
  alice = createRawWriter('notes')
  aliceText = textUpdate('What alice typed stays.', alice.client)
  const inserted = alice.insert('shared')
  aliceMark = inserted.mark
  const written = await client.submit([[inserted], [alice.type('typed', [aliceText], { whole: true })]])
  expect(written).toEqual([null, null])
  await client.close()
  neighbour = await openNeighbour(relay.url, diary)
  neighbour.resume()
})

afterAll(async () => {
  await neighbour?.close()
  await relay?.close()
})

// ---------------------------------------------------------------- what is no frame

test('random bytes are refused, as the first and as a later frame', async () => {
  const codes = new Set<string>()
  await unmoved(async () => {
    for (let seed = 0; seed < 200; seed++) {
      const chance = createChance(seed)
      const bytes = chance.bytes(16 + chance.below(2000))
      const { error, code } = await refusalOf(bytes, { greeted: seed % 2 === 1 })
      codes.add(error?.code ?? `closed with ${code}, seed ${seed}`)
    }
  })
  expect([...codes].sort()).toEqual(['limit-exceeded', 'malformed-frame', 'protocol-version'])
})

test('every prefix of a valid hello is refused as malformed', async () => {
  const bytes = encodeFrame(rawHello())
  await unmoved(async () => {
    for (let length = 0; length < bytes.length; length++) {
      const refused = await refusalOf(bytes.subarray(0, length), { greeted: false })
      expect([length, refused.error?.code, refused.code]).toEqual([length, 'malformed-frame', 4400])
    }
  })
})

test('every prefix of a valid submit is refused as malformed', async () => {
  const mallory = createRawWriter('notes')
  const typed = mallory.type('m', [textUpdate('typed', mallory.client)], { whole: true })
  const bytes = encodeFrame(submitOf([[mallory.insert('x'), typed]]))
  await unmoved(async () => {
    for (let length = 0; length < bytes.length; length++) {
      const refused = await refusalOf(bytes.subarray(0, length))
      expect([length, refused.error?.code, refused.code]).toEqual([length, 'malformed-frame', 4400])
    }
  })
})

test('a hello beyond its limit is refused as too large', async () => {
  await unmoved(async () => {
    const bytes = new Uint8Array(limits.helloBytesMax + 1)
    const { error } = await refusalOf(bytes, { greeted: false })
    expect(error).toEqual(failure('frame-too-large', { bytes: bytes.length, limit: limits.helloBytesMax }))
  })
})

test('a frame beyond the limit ends its connection before it is read, and the log says so', async () => {
  await unmoved(async () => {
    const { error, code } = await refusalOf(new Uint8Array(limits.frameBytesMax + 1))
    expect([error, code]).toEqual([null, 1009])
    await untilLogged('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH')
  })
})

test('a message that declares 2^31 bytes ends its connection at once', async () => {
  await unmoved(async () => {
    const client = await hostile()
    client.sendBelow(Uint8Array.of(0x82, 0xff, 0, 0, 0, 0, 0x80, 0, 0, 0, 1, 2, 3, 4))
    const { code } = await client.refusal()
    expect(code).toBe(1009)
  })
})

const twoTo31 = [0x80, 0x80, 0x80, 0x80, 0x08]
test.each([
  ['of a presence', [15, 0, ...twoTo31]],
  ['of a submit’s transactions', [8, ...twoTo31, 0, 0]],
  ['of wanted rows', [6, ...twoTo31]],
  ['of a sender’s name', [15, ...twoTo31]],
  ['of a dictionary’s names', [6 + 0x40, 0, ...twoTo31]],
])('a declared length of 2^31 %s is refused by its limit', async (_, bytes) => {
  await unmoved(async () => {
    const { error, code } = await refusalOf(Uint8Array.from(bytes))
    expect(error).toMatchObject({ code: 'limit-exceeded', details: { actual: expect.any(Number) } })
    expect(code).toBe(4400)
  })
})

test('a frame of the relay’s own that nests 10,000 deep is refused at the depth that values may have', async () => {
  await unmoved(async () => {
    const { error } = await refusalOf(refuseFrameWith(nested(10_000)))
    expect(error).toEqual(
      failure('limit-exceeded', {
        what: 'nesting of a value',
        limit: limits.valueDepthMax,
        actual: limits.valueDepthMax + 1,
      }),
    )
  })
})

test('[R1] ranges that do not rise are refused, since each would have the same rows answered again', async () => {
  const bound = (ms: number) => ({ mark: { ...aliceMark, ms }, key: documentKey('notes', 'shared') })
  const sum = { kind: 'sum', count: 1, hash: '0'.repeat(16) } as const
  const last = { end: null, content: sum }
  await unmoved(async () => {
    for (const ends of [
      [bound(2), bound(1)],
      [null, null],
      [null, bound(1)],
    ]) {
      const ranges = ends.map(end => ({ ...last, end }))
      expect(await refusalOf(encodeFrame({ type: 'range', ranges }))).toEqual({
        error: failure('malformed-frame', { reason: 'ranges that do not rise' }),
        code: 4400,
      })
    }
  })
})

// ---------------------------------------------------------------- forbidden names

test.each(['__proto__', 'constructor', 'prototype'])(
  'the name %s is refused wherever one stands',
  async key => {
    const mallory = createRawWriter('notes')
    const honest = mallory.insert('x')
    const cell = honest.delta.cells.get(titlePart)
    const named: Write[] = [
      { ...honest, key: documentKey(key, 'x') },
      { ...honest, key: documentKey('notes', key) },
      { ...honest, delta: { ...honest.delta, cells: new Map([[partName('lww', key), cell as never]]) } },
    ]
    await unmoved(async () => {
      for (const write of named) {
        const { error, code } = await refusalOf(encodeFrame(submitOf([[write]])))
        expect([error, code]).toEqual([failure('key-forbidden', { key }), 4400])
      }
      const { error } = await refusalOf(refuseFrameWith(objectWith(key)))
      expect(error).toEqual(failure('key-forbidden', { key }))
    })
  },
)

// ---------------------------------------------------------------- frames that are frames, and writes that are none

test('[T1] a write that bears a mark of another writer is not permitted', async () => {
  const mallory = createRawWriter('notes')
  const stolen = { ...alice.nextMark(), ms: Date.now() }
  const write = mallory.insert('x')
  const cells = new Map([[titlePart, { strategy: 'lww', last: stolen, value: encodeValue('mine') } as const]])
  await refusedAs('not-permitted', { ...write, delta: { ...write.delta, cells } })
  await refusedAs('not-permitted', { ...write, delta: { ...write.delta, revival: stolen } })
})

test('[T4] a write in the name of another user’s writer is refused', async () => {
  const write = alice.insert('x')
  await refusedAs('client-id-taken', write)
})

test('[T1] a write that names as seen what nobody can know is refused, and says which mark', async () => {
  const nobody: Mark = { ms: Date.now(), tick: 0, writer: writerFromBytes(randomBytes(8)) }
  const beyond: Mark = { ...aliceMark, ms: aliceMark.ms + 30_000 }
  const mallory = createRawWriter('notes')
  for (const mark of [nobody, beyond]) {
    const error = await refusedAs('unknown-mark', mallory.update('shared', encodeValue('mine'), mark))
    expect(error).toMatchObject({ details: { mark: `${mark.ms}.${mark.tick}.${mark.writer}` } })
    const insert = mallory.insert('shared')
    const deletion = {
      mark: insert.mark,
      policy: 'delete-wins' as const,
      seen: new Map([[titlePart, { kind: 'last' as const, mark }]]),
    }
    const delta = { cells: new Map(), revival: null, deletion }
    await refusedAs('unknown-mark', { ...insert, delta, whole: false })
  }
})

test('[C4] a mark an hour ahead is refused as skew, with the relay’s time', async () => {
  const mallory = createRawWriter('notes')
  const write = mallory.insert('x', encodeValue('x'), mallory.nextMark(Date.now() + 3_600_000))
  const error = await refusedAs('clock-skew', write)
  if (error.code !== 'clock-skew') return
  expect(Math.abs(error.details.relayTime - Date.now())).toBeLessThan(60_000)
  expect(error.details.ms).toBeGreaterThan(3_600_000 - limits.skewMs - 60_000)
})

test('[F4] what is beyond a bound is refused by the bound', async () => {
  const mallory = createRawWriter('notes')
  const large = await refusedAs(
    'limit-exceeded',
    mallory.insert('x', new Uint8Array(limits.valueBytesMax + 1)),
  )
  expect(large).toMatchObject({ details: { limit: limits.valueBytesMax } })
  const mark = mallory.nextMark()
  const halves = [0, 1].map(half => {
    const fields = Array.from({ length: 200 }, (_, i) => partName('lww', `f${half * 200 + i}`))
    const cells = new Map(
      fields.map(name => [name, { strategy: 'lww', last: mark, value: encodeValue(1) } as const]),
    )
    return { ...mallory.insert('x', encodeValue(1), mark), delta: { cells, deletion: null, revival: mark } }
  })
  const error = await refusedAs('limit-exceeded', ...halves)
  expect(error).toMatchObject({ details: { limit: limits.fieldsPerRowMax, actual: 400 } })
})

test('a value of no bytes at all is refused as malformed', async () => {
  const mallory = createRawWriter('notes')
  await unmoved(async () => {
    const { error } = await refusalOf(encodeFrame(submitOf([[mallory.insert('x', new Uint8Array(0))]])))
    expect(error?.code).toBe('malformed-frame')
  })
})

test('a document that the relay lacks is not written to in part', async () => {
  const mallory = createRawWriter('notes')
  await refusedAs('document-unknown', mallory.update('nowhere', encodeValue('x'), null))
})

// ---------------------------------------------------------------- texts

test('[X4] a text update of version 2 is refused', async () => {
  const mallory = createRawWriter('notes')
  const update = convertUpdateFormatV1ToV2(textUpdate('typed', mallory.client))
  await refusedAs('text-invalid', mallory.type('x', [update], { whole: true }))
})

test('[X5] every truncated text update is refused', async () => {
  const mallory = createRawWriter('notes')
  const update = textUpdate('typed', mallory.client)
  for (let length = 0; length < update.length; length++) {
    await refusedAs('text-invalid', mallory.type('x', [update.subarray(0, length)], { whole: true }))
  }
})

test('[X5] a text update that claims another writer’s clock is refused', async () => {
  const mallory = createRawWriter('notes')
  const alone = textUpdate('not alice', alice.client)
  await refusedAs('text-not-owned', mallory.type('typed', [alone]))
  const next = editOf([aliceText], alice.client, 'more')
  await refusedAs('text-not-owned', mallory.type('typed', [next]))
})

test('[X5] a text update that leaves a gap is refused', async () => {
  const mallory = createRawWriter('notes')
  const first = editOf([aliceText], mallory.client, 'first ')
  const second = editOf([aliceText, first], mallory.client, 'second ')
  const error = await refusedAs('text-gap', mallory.type('typed', [second]))
  expect(error).toMatchObject({ details: { client: mallory.client, have: 0, from: 6 } })
})

// ---------------------------------------------------------------- what is given back

test('[T2] what is given back is screened as what is written', async () => {
  const mallory = createRawWriter('notes')
  const hasty = createRawWriter('notes')
  const ahead = hasty.insert('ahead', encodeValue('x'), hasty.nextMark(Date.now() + 3_600_000))
  const first = editOf([aliceText], mallory.client, 'first ')
  const later = editOf([aliceText, first], mallory.client, 'later ')
  const given: readonly (readonly [Failure['code'], Write])[] = [
    ['clock-skew', ahead],
    ['text-gap', mallory.type('typed', [later])],
    ['text-invalid', mallory.type('shared', [convertUpdateFormatV1ToV2(first)])],
    ['text-invalid', mallory.type('x', [first.subarray(0, -1)])],
  ]
  for (const [code, { key, delta, texts }] of given) {
    await unmoved(async () => {
      const client = await hostile()
      const [error] = await client.give([{ key, row: delta, texts }])
      expect(error?.code).toBe(code)
      await client.close()
    })
  }
})

test('[T2] a relay that declares its collections takes back no text that nobody declared', async () => {
  const strict = await startRelayProcess({
    rules: "export const collections = { notes: { fields: { title: { strategy: 'lww' } } } }",
  })
  onTestFinished(() => strict.close())
  const client = await openRawClient(strict.url)
  onTestFinished(() => client.close())
  await client.greet()
  const mallory = createRawWriter('notes')
  const typed = mallory.type('x', [textUpdate('typed', mallory.client)])
  // A body that comes ahead is held, and judged with its row.
  expect(await client.give([{ key: typed.key, row: emptyRow, texts: typed.texts }])).toEqual([null])
  for (const texts of [noTexts, typed.texts]) {
    const [whole] = await client.give([{ key: typed.key, row: typed.delta, texts }])
    expect(whole?.code).toBe('refused-by-rule')
  }
  expect((await readStored(strict.path, { collection: '', writer: '' })).positions['team'] ?? 0).toBe(0)
})

test('after all of it the relay is the one that was started, and what it tells a newcomer is what was accepted', async () => {
  await neighbour.pause()
  const client = await openRawClient(relay.url)
  onTestFinished(() => client.close())
  await client.greet({ token: 'carol' })
  const rows = (): readonly string[] =>
    client.frames.flatMap(frame => (frame.type === 'changes' ? frame.rows.map(({ key }) => key) : []))
  await until(
    () => client.frames.some(frame => frame.type === 'changes' && frame.cut !== null),
    'a newcomer has all',
  )
  expect(rows().filter(key => !key.startsWith(`${diary}/`))).toEqual(['notes/shared', 'notes/typed'])
  expect(rows().length).toBe(neighbour.acknowledged + 2)
  expect(relay.log.filter(({ msg }) => msg === 'relay started').length).toBe(1)
  expect(relay.log.filter(({ level }) => level >= 50)).toEqual([])
  neighbour.resume()
})

// ---------------------------------------------------------------- how it is done

async function hostile(greeted: boolean = true): Promise<RawClient> {
  const client = await openRawClient(relay.url)
  if (greeted) await client.greet()
  return client
}

async function refusalOf(
  bytes: Uint8Array,
  { greeted = true }: { readonly greeted?: boolean } = {},
): Promise<{ readonly error: Failure | null; readonly code: number }> {
  const client = await hostile(greeted)
  client.send(bytes)
  return client.refusal()
}

/** A transaction of these writes is refused by this code, and nobody else notices. */
async function refusedAs(code: Failure['code'], ...writes: readonly Write[]): Promise<Failure> {
  let found: Failure | null = null
  await unmoved(async () => {
    const client = await hostile()
    const [error = null] = await client.submit([writes])
    expect(error?.code).toBe(code)
    expect(client.end).toBe(null)
    await client.close()
    found = error
  })
  return found ?? failure('closed', { what: 'nothing was refused' })
}

/**
 * Runs an attack while the neighbour writes. Afterwards the relay's file holds what it held and what the neighbour
 * wrote, no commit more, and the neighbour is still on its first connection and acknowledged.
 */
async function unmoved(attack: () => Promise<void>): Promise<void> {
  const before = await stored()
  const acknowledged = neighbour.acknowledged
  await attack()
  await until(() => neighbour.acknowledged > acknowledged + 2, 'the neighbour is acknowledged as ever')
  const after = await stored()
  expect(neighbour.client.end).toBe(null)
  expect(after.digest).toBe(before.digest)
  const written = neighbour.acknowledged - acknowledged
  expect(after.leftOut - before.leftOut).toBe(written)
  expect(after.positions).toEqual({ team: (before.positions['team'] ?? 0) + written })
}

/** What is on disk at an instant at which the neighbour rests. */
async function stored(): Promise<Stored> {
  await neighbour.pause()
  const read = await readStored(relay.path, { collection: diary, writer: neighbour.writer.writer })
  neighbour.resume()
  return read
}

async function untilLogged(fault: string): Promise<void> {
  await until(() => relay.log.some(line => line['fault'] === fault), `the log says ${fault}`)
}
