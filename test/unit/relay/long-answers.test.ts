// A relay makes the answer to who opens a long text in steps, and the others are not kept waiting for it.
import {
  documentKey,
  encodeValue,
  nothingReplaced,
  noTexts,
  partName,
  writerFromBytes,
  yjsClientOf,
  type Frame,
  type Write,
} from '@rejoin/core'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { attach, bareNow, helloOf, loopingRuntime, openKernel, settle } from './bare-kernel.ts'

const writer = writerFromBytes(new Uint8Array(8).fill(7))
const key = documentKey('notes', 'n')
const body = partName('text', 'body')

test('[X6] a long text is sent when the others have had their turn', async () => {
  let ms = 0
  let isSlow = false
  const kernel = await openKernel({ runtime: loopingRuntime(() => (isSlow ? (ms += 6) : ms)) })
  const happened: string[] = []
  const begin = async (replica: number) => {
    const session = attach(kernel, ({ type }) => {
      if (type === 'verdict' || type === 'text') happened.push(type)
    })
    session.receive(helloOf(replica))
    await settle()
    return session
  }
  const [alice, bob] = [await begin(1), await begin(2)]
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
    const mark = { ms: bareNow, tick, writer }
    const cell = { strategy: 'text', context: new Map([[writer, mark]]) } as const
    const delta = { cells: new Map([[body, cell]]), deletion: null, revival: tick === 0 ? mark : null }
    const texts = new Map([[body, [Y.encodeStateAsUpdate(document, before)]]])
    return { mark, key, delta, texts, replaced: nothingReplaced, whole: tick === 0 }
  })
}

function recoloring(): Write {
  const mark = { ms: bareNow, tick: 9, writer }
  const cell = { strategy: 'lww', last: mark, value: encodeValue('teal') } as const
  const delta = { cells: new Map([[partName('lww', 'color'), cell]]), deletion: null, revival: null }
  return { mark, key, delta, texts: noTexts, replaced: nothingReplaced, whole: false }
}

function submitOf(write: Write): Frame {
  return { type: 'submit', round: 0, transactions: [{ writes: [write], preconditions: [] }] }
}
