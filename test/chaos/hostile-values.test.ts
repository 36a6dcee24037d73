// Values that no client of ours would write. A relay stores what it cannot read, so here the reader is the one who has
// to go on: it shows nothing in the place of such a value, and everything else as ever.
import { collection, openReplica, type Replica } from '@rejoin/client'
import { RejoinError, keyOfBytes, limits, partName, type Cell, type Write } from '@rejoin/core'
import { ask, lww, set } from '@rejoin/resolve'
import * as v from 'valibot'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openRawClient } from './harness/raw-client.ts'
import { createRawWriter } from './harness/raw-writer.ts'
import { startRelayProcess, type RelayProcess } from './harness/relay-process.ts'
import { until } from './harness/until.ts'

const things = collection('things', {
  asked: ask(v.unknown()),
  stands: lww(v.unknown()),
  all: set(v.unknown()),
})

const hostile: readonly (readonly [string, Uint8Array])[] = [
  ['nested', new Uint8Array(10_001).fill(0x81, 0, 10_000).fill(1, 10_000)],
  ['nested objects', repeat(Uint8Array.of(0x91, 1, 0x61), 10_000, 1)],
  ['a key __proto__', objectWith('__proto__')],
  ['a key constructor', objectWith('constructor')],
  ['__proto__ deep down', Uint8Array.of(0x81, ...objectWith('__proto__'))],
  ['no value', Uint8Array.of(0xff, 0xff)],
  ['a length of 2^31', Uint8Array.of(12, 0x80, 0x80, 0x80, 0x80, 0x08)],
]

let relay: RelayProcess
let bob: Replica<{ readonly things: typeof things }>

beforeAll(async () => {
  relay = await startRelayProcess()
  bob = await openReplica({
    space: 'team',
    name: 'bob',
    collections: { things },
    relays: [relay.url],
    token: () => 'bob',
  })
  await bob.things.insert({ asked: 'a', stands: 'b', all: ['c'] }, { id: 'honest' }).reached('relay')
})

afterAll(async () => {
  await bob?.close()
  await relay?.close()
})

test.each(hostile)(
  'a reader who gets the value “%s” shows nothing in its place, and goes on',
  async (id, value) => {
    const mallory = await openRawClient(relay.url)
    await mallory.greet()
    expect(await mallory.submit([[writeThing(id, value)]])).toEqual([null])
    await mallory.close()
    await until(() => bob.things.get(id) !== undefined, 'it came')
    expect(bob.things.get(id)).toEqual({ id, asked: undefined, stands: undefined, all: [undefined] })
    // Sorting and selecting by such a field is no problem of its neighbours.
    const sorted = bob.things.query({ where: { id: { in: [id, 'honest'] } }, orderBy: 'stands' }).get()
    expect(sorted.map(thing => thing.id).sort()).toEqual([id, 'honest'].sort())
    expect(Object.keys(Object.prototype)).toEqual([])
    expect(({} as { readonly polluted?: unknown }).polluted).toBe(undefined)
    // Whoever writes over it makes it well again.
    await bob.things.update(id, { asked: 'well', stands: 'well' }).reached('relay')
    expect(bob.things.get(id)).toMatchObject({ asked: 'well', stands: 'well' })
    expect(bob.things.get('honest')).toEqual({ id: 'honest', asked: 'a', stands: 'b', all: ['c'] })
    expect(bob.status.get()).toMatchObject({ connection: 'online', conflicts: 0, quarantined: 0 })
  },
)

test('nobody can write such a value through a client', async () => {
  const all = bob.things.query()
  const before = all.get()
  const deep = Array.from({ length: 10_000 }).reduce<unknown>(inner => [inner], null)
  const poisoned: unknown = JSON.parse('{ "__proto__": { "polluted": true } }')
  for (const [value, code] of [
    [deep, 'limit-exceeded'],
    [poisoned, 'key-forbidden'],
    [{ constructor: 1 }, 'key-forbidden'],
    ['x'.repeat(limits.valueBytesMax + 1), 'limit-exceeded'],
    [() => 1, 'value-unsupported'],
  ] as const) {
    for (const input of [{ stands: value }, { asked: value }, { all: [value] }]) {
      const write = (): unknown => bob.things.insert({ asked: 1, stands: 1, ...input })
      expect(write).toThrow(RejoinError)
      expect(codeOf(write)).toBe(code)
    }
  }
  expect(codeOf(() => bob.things.insert({ asked: 1, stands: 1 }, { id: '__proto__' }))).toBe('key-forbidden')
  expect(codeOf(() => collection('__proto__', {}))).toBe('key-forbidden')
  expect(codeOf(() => collection('x', JSON.parse('{ "__proto__": 1 }')))).toBe('key-forbidden')
  expect(all.get()).toEqual(before)
})

/** A whole document with this value in each of its fields. */
function writeThing(id: string, value: Uint8Array): Write {
  const writer = createRawWriter('things')
  const made = writer.insert(id)
  const { mark } = made
  const context = new Map([[writer.writer, mark]])
  const cells = new Map<ReturnType<typeof partName>, Cell>([
    [
      partName('ask', 'asked'),
      { strategy: 'ask', context, siblings: [{ mark, value, base: null, answers: null }] },
    ],
    [partName('lww', 'stands'), { strategy: 'lww', last: mark, value }],
    [
      partName('set', 'all'),
      {
        strategy: 'set',
        context,
        elements: new Map([[keyOfBytes(value), { value, added: mark, removed: null }]]),
      },
    ],
  ])
  return { ...made, delta: { cells, deletion: null, revival: mark } }
}

function objectWith(key: string): Uint8Array {
  return Uint8Array.of(
    0x91,
    key.length,
    ...new TextEncoder().encode(key),
    0x91,
    8,
    ...new TextEncoder().encode('polluted'),
    3,
  )
}

function repeat(bytes: Uint8Array, times: number, end: number): Uint8Array {
  const whole = new Uint8Array(bytes.length * times + 1)
  for (let i = 0; i < times; i++) whole.set(bytes, i * bytes.length)
  whole[whole.length - 1] = end
  return whole
}

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return error instanceof RejoinError ? error.code : String(error)
  }
  return 'nothing was thrown'
}
