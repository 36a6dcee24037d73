// Golden vectors: the bytes that docs/encoding.md states. Changing one of a frame changes the protocol's version, of
// a chunk the chunk's, and of a digest makes replicas of two versions take equal rows for different ones.
import { readFileSync } from 'node:fs'
import {
  bytesFor,
  createFrameEncoder,
  createKnownNames,
  decodeChunk,
  decodeFrame,
  decodeRow,
  decodeValue,
  digestOfBytes,
  digestOfRow,
  documentKey,
  emptyRow,
  encodeCanonicalRow,
  encodeChunk,
  encodeFrame,
  encodeRow,
  encodeValue,
  formatDigest,
  keyOfBytes,
  mintedId,
  nothingCounted,
  partName,
  protocolVersion,
  transactionId,
  writerFromBytes,
} from '@rejoin/core'
import type { Frame, GenerationId, Mark, OwnChunk, Row, StoreId, Write, WriterId } from '@rejoin/core'
import { expect, test } from 'vitest'

const alice = writerFromBytes(new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7]))
const bob = writerFromBytes(new Uint8Array([0xf0, 1, 2, 3, 4, 5, 6, 7]))
const store = writerFromBytes(new Uint8Array(8).fill(0xaa)) as string as StoreId
const generation = writerFromBytes(new Uint8Array(8).fill(0xbb)) as string as GenerationId
const at = (ms: number, writer: WriterId = alice, tick = 0): Mark => ({ ms, tick, writer })
const now = 1_764_000_000_000

const simple: Row = {
  ...emptyRow,
  cells: new Map([
    [partName('lww', 'title'), { strategy: 'lww', last: at(now), value: encodeValue('hello') }],
  ]),
}
const full: Row = {
  cells: new Map([
    [partName('lww', 'title'), { strategy: 'lww', last: at(now), value: encodeValue('hello') }],
    [
      partName('ask', 'due'),
      {
        strategy: 'ask',
        siblings: [
          {
            mark: at(now + 1),
            value: encodeValue(1),
            base: { mark: at(now), value: encodeValue(0) },
            answers: null,
          },
          {
            mark: at(now + 2, bob),
            value: encodeValue(2),
            base: null,
            answers: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]),
          },
        ],
        context: new Map([
          [bob, at(now + 2, bob)],
          [alice, at(now + 1)],
        ]),
      },
    ],
    [
      partName('set', 'tags'),
      {
        strategy: 'set',
        elements: new Map([
          [keyOfBytes(encodeValue('b')), { value: encodeValue('b'), added: at(now + 3), removed: null }],
          [
            keyOfBytes(encodeValue('a')),
            { value: encodeValue('a'), added: at(now), removed: at(now, alice, 7) },
          ],
        ]),
        context: new Map([[alice, at(now + 3)]]),
      },
    ],
    [
      partName('counter', 'votes'),
      {
        strategy: 'counter',
        entries: new Map([
          [alice, { mark: at(now + 4), total: 3 }],
          [bob, { mark: at(now, bob), total: -0.5 }],
        ]),
      },
    ],
    [partName('text', 'body'), { strategy: 'text', context: new Map([[bob, at(now + 5, bob, 65_535)]]) }],
  ]),
  deletion: {
    mark: at(now + 6),
    policy: 'ask',
    seen: new Map([
      [partName('lww', 'title'), { kind: 'last', mark: at(now) }],
      [partName('text', 'body'), { kind: 'context', context: new Map([[bob, at(now + 5, bob)]]) }],
      [partName('lww', 'opened'), { kind: 'everything' }],
    ]),
  },
  revival: at(now + 7, bob),
}

const write: Write = {
  mark: at(now),
  key: documentKey('notes', mintedId(alice, 33)),
  delta: simple,
  texts: new Map(),
  replaced: new Map([[partName('lww', 'title'), at(now - 1000, bob)]]),
  whole: false,
}

const body = partName('text', 'body')
/** What alice typed, her Yjs client in it twice. */
const typing: Write = {
  ...write,
  delta: {
    ...emptyRow,
    cells: new Map([[body, { strategy: 'text', context: new Map([[alice, at(now)]]) }]]),
  },
  texts: new Map([[body, [new Uint8Array([1, 1, 0x87, 0x8c, 0x94, 0x20, 9, 0x87, 0x8c, 0x94, 0x20, 8, 0])]]]),
  replaced: new Map(),
}

const frames: Readonly<Record<string, Frame>> = {
  hello: {
    type: 'hello',
    protocol: protocolVersion,
    space: 'home',
    token: 'secret',
    replica: store,
    device: 'phone',
    role: 'client',
    cursors: [{ generation, cut: 300, place: 301 }],
    empty: false,
    frontier: new Map([[generation, 300]]),
    reach: new Map([[generation, 301]]),
    level: 'relay',
    credit: 0,
  },
  welcome: {
    type: 'welcome',
    time: now,
    store,
    begin: 'resume',
    cursor: { generation, cut: 300, place: 300 },
    generations: [{ id: generation, store, parent: null, start: 0 }],
    frontier: new Map([[generation, 310]]),
    covers: true,
    levels: ['local', 'relay'],
    user: 'alice',
    leader: null,
    term: 0,
  },
  changes: {
    type: 'changes',
    rows: [{ key: write.key, delta: simple, parts: 6, texts: new Map() }],
    place: 311,
    head: 311,
    cut: {
      generation,
      position: 311,
      frontier: new Map([[generation, 311]]),
      generations: [],
      fingerprint: null,
    },
    answer: false,
    writers: [],
  },
  'changes of two': {
    type: 'changes',
    rows: [
      { key: write.key, delta: simple, parts: 0, texts: new Map() },
      { key: documentKey('notes', 'own id'), delta: full, parts: 7, texts: new Map() },
    ],
    place: 0,
    head: 1,
    cut: null,
    answer: true,
    writers: [{ writer: bob, user: 'bob', device: 'desk', highest: at(now, bob) }],
  },
  'changes of eight': {
    type: 'changes',
    rows: Array.from({ length: 8 }, (_, i) => ({
      key: documentKey('notes', `n0${i + 5}`),
      delta: {
        ...emptyRow,
        cells: new Map([
          [partName('lww', 'n'), { strategy: 'lww', last: at(now + i), value: encodeValue(1000 + i) }],
        ]),
      },
      parts: 1,
      texts: new Map(),
    })),
    place: 12,
    head: 12,
    cut: null,
    answer: false,
    writers: [],
  },
  submit: {
    type: 'submit',
    round: 0,
    transactions: [{ writes: [write], preconditions: [] }],
  },
  'submit of a text': {
    type: 'submit',
    round: 0,
    transactions: [{ writes: [typing], preconditions: [] }],
  },
  verdict: {
    type: 'verdict',
    count: 1,
    generation,
    position: 311,
    cut: true,
    exceptions: [
      { index: 0, kind: 'refused', write: 0, error: { code: 'not-permitted', details: { reason: 'no' } } },
    ],
  },
  passed: {
    type: 'passed',
    session: 7,
    content: { kind: 'begin', user: 'alice', replica: store, device: 'phone' },
  },
  quorum: { type: 'quorum', generation, position: 311 },
}

const chunk: OwnChunk = {
  kind: 'own',
  transactions: [
    {
      id: transactionId(alice, 3),
      writes: [write],
      seen: [{ exists: true, last: at(now - 1000, bob), counted: nothingCounted }],
      correction: -20,
      heard: 5,
    },
  ],
}

const values: Readonly<Record<string, unknown>> = {
  undefined: undefined,
  null: null,
  true: true,
  '63': 63,
  '64': 64,
  '-1': -1,
  '0.5': 0.5,
  '-0': -0,
  '2^53 - 1': Number.MAX_SAFE_INTEGER,
  '-257n': -257n,
  date: new Date(now),
  é: 'é',
  'x 32 times': 'x'.repeat(32),
  bytes: new Uint8Array([1, 2]),
  list: [1, [null]],
  object: { b: 1, a: 'hello' },
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function computed(): Map<string, string> {
  const vectors = new Map<string, string>()
  for (const [name, value] of Object.entries(values)) vectors.set(`value ${name}`, hexOf(encodeValue(value)))
  for (const [name, text] of Object.entries({ nothing: '', a: 'a', abcde: 'abcde' }))
    vectors.set(`digest of the bytes of ${name}`, formatDigest(digestOfBytes(new TextEncoder().encode(text))))
  for (const [name, row] of Object.entries({ empty: emptyRow, simple, full })) {
    vectors.set(`canonical row ${name}`, hexOf(encodeCanonicalRow(row)))
    vectors.set(`digest of row ${name}`, formatDigest(digestOfRow(row)))
    vectors.set(`stored row ${name}`, hexOf(encodeRow(row)))
  }
  for (const [name, frame] of Object.entries(frames)) vectors.set(`frame ${name}`, hexOf(encodeFrame(frame)))
  const encoder = createFrameEncoder(() => 1_764_000_000_000)
  const known = createKnownNames()
  for (const name of ['first', 'next']) {
    const bytes = frames['changes'] === undefined ? [] : bytesFor(encoder.encode(frames['changes']), known)
    vectors.set(`frame changes over a link, ${name}`, hexOf(Uint8Array.from(bytes)))
  }
  vectors.set('chunk own', hexOf(encodeChunk(chunk)))
  return vectors
}

test('bytes are those that docs/encoding.md states', () => {
  const text = readFileSync(new URL('../../../packages/core/docs/encoding.md', import.meta.url), 'utf8')
  const block = text.split('```text vectors\n')[1]?.split('```')[0] ?? ''
  const stated = block.split('\n').filter(line => line !== '')
  expect(stated).toEqual([...computed()].map(([name, hex]) => `${name}: ${hex}`))
})

test('what is stated decodes to what it was made of', () => {
  for (const frame of Object.values(frames))
    expect(decodeFrame(encodeFrame(frame))).toEqual({ ok: true, value: frame })
  for (const value of Object.values(values))
    expect(decodeValue(encodeValue(value))).toStrictEqual({ ok: true, value })
  for (const row of [emptyRow, simple, full])
    expect(decodeRow(encodeRow(row))).toEqual({ ok: true, value: row })
  expect(decodeChunk(encodeChunk(chunk))).toEqual({ ok: true, value: chunk })
})
