// A relay makes the answer to who opens a long text in steps, and the others are not kept waiting for it.
import {
  createDictionary,
  decodeFrame,
  documentKey,
  encodeValue,
  nothingReplaced,
  noTexts,
  partName,
  writerFromBytes,
  yjsClientOf,
  type Frame,
  type StoreId,
  type Write,
} from '@rejoin/core'
import { createKernel, createMemoryDisk } from '@rejoin/relay/kernel'
import { createChance, helloWith } from '@rejoin/testkit'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import * as Y from 'yjs'

const now = 1_764_000_000_000
const writer = writerFromBytes(new Uint8Array(8).fill(7))
const key = documentKey('notes', 'n')
const body = partName('text', 'body')

test('[X6] a long text is sent when the others have had their turn', async () => {
  const chance = createChance(3)
  let ms = 0
  let isSlow = false
  const kernel = createKernel({
    store: await createMemoryDisk(length => chance.bytes(length)).open(),
    runtime: {
      now: () => now,
      monotonic: () => (isSlow ? (ms += 6) : ms),
      randomBytes: length => chance.bytes(length),
      after(_, run) {
        const timer = setImmediate(run)
        return () => clearImmediate(timer)
      },
    },
    token: async token => ({ user: token }),
    access: async () => 'write',
    accept: () => true,
    log: { error: () => {}, info: () => {}, debug: () => {} },
  })
  const happened: string[] = []
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 50; i++) await turn()
  }
  const begin = async () => {
    const names = createDictionary()
    const session = kernel.attach({
      send(bytes) {
        const decoded = decodeFrame(Uint8Array.from(bytes), names)
        if (decoded.ok && ['verdict', 'text'].includes(decoded.value.type)) happened.push(decoded.value.type)
      },
      buffered: () => 0,
      close: () => {},
      address: '',
    })
    session.receive(helloWith({ replica: writerFromBytes(chance.bytes(8)) as string as StoreId }))
    await settle()
    return session
  }
  const [alice, bob] = [await begin(), await begin()]
  for (const write of typing()) alice.receive(submitOf(write))
  await settle()
  expect(happened).toEqual(['verdict'])
  isSlow = true
  bob.receive({ type: 'want', keys: [], texts: [{ key, part: body, stateVector: new Map() }], writers: [] })
  await Promise.resolve()
  setImmediate(() => alice.receive(submitOf(recoloring())))
  await settle()
  expect(happened.slice(0, 3)).toEqual(['verdict', 'verdict', 'text'])
  expect(happened.slice(2).every(type => type === 'text')).toBe(true)
})

/** An insert, and a text that takes several frames. */
function typing(): readonly Write[] {
  const document = new Y.Doc()
  document.clientID = yjsClientOf(writer)
  return [0, 1, 2].map(tick => {
    const before = Y.encodeStateVector(document)
    document.getText('text').insert(0, 'lorem '.repeat(30_000))
    const mark = { ms: now, tick, writer }
    const cell = { strategy: 'text', context: new Map([[writer, mark]]) } as const
    const delta = { cells: new Map([[body, cell]]), deletion: null, revival: tick === 0 ? mark : null }
    const texts = new Map([[body, [Y.encodeStateAsUpdate(document, before)]]])
    return { mark, key, delta, texts, replaced: nothingReplaced, whole: tick === 0 }
  })
}

function recoloring(): Write {
  const mark = { ms: now, tick: 9, writer }
  const cell = { strategy: 'lww', last: mark, value: encodeValue('teal') } as const
  const delta = { cells: new Map([[partName('lww', 'color'), cell]]), deletion: null, revival: null }
  return { mark, key, delta, texts: noTexts, replaced: nothingReplaced, whole: false }
}

function submitOf(write: Write): Frame {
  return { type: 'submit', round: 0, transactions: [{ writes: [write], preconditions: [] }] }
}
