// What is typed, as frames bring it: without the Yjs client of who typed it, wherever that stands.
import {
  createDictionary,
  decodeFrame,
  documentKey,
  emptyRow,
  encodeFrame,
  nothingReplaced,
  partName,
  writerFromBytes,
  yjsClientOf,
  type Frame,
  type PartName,
  type TextUpdates,
  type WriterId,
} from '@rejoin/core'
import { describe, expect, test } from 'vitest'
import * as Y from 'yjs'

const alice = writerFromBytes(new Uint8Array([0, 1, 2, 3, 0xf4, 5, 6, 7]))
const bob = writerFromBytes(new Uint8Array([0, 1, 2, 3, 0xf4, 5, 6, 8]))
const short = writerFromBytes(new Uint8Array([0, 1, 2, 3, 0, 0, 6, 7]))
const body = partName('text', 'body')
const key = documentKey('notes', 'page')

/** Every other letter in front of all others, so that each is a struct that names two neighbours. */
function typed(writer: WriterId, letters: number): Uint8Array {
  const document = new Y.Doc()
  document.clientID = yjsClientOf(writer)
  document.transact(() => {
    for (let i = 0; i < letters; i++) document.getText('').insert(i % 2 === 0 ? 0 : i >> 1, 'a')
    document.getText('').delete(letters >> 1, letters >> 2)
  })
  return Y.encodeStateAsUpdate(document)
}

function submitOf(writer: WriterId, texts: TextUpdates): Frame {
  const mark = { ms: 1_764_000_000_000, tick: 0, writer }
  const cells = new Map<PartName, { strategy: 'text'; context: ReadonlyMap<WriterId, typeof mark> }>()
  for (const part of texts.keys()) cells.set(part, { strategy: 'text', context: new Map([[writer, mark]]) })
  const write = { mark, key, delta: { ...emptyRow, cells }, texts, replaced: nothingReplaced, whole: false }
  return { type: 'submit', round: 0, transactions: [{ writes: [write], preconditions: [] }] }
}

function submitted(writer: WriterId, update: Uint8Array): Uint8Array {
  const frame = submitOf(writer, new Map([[body, [update]]]))
  const bytes = encodeFrame(frame)
  expect(decodeFrame(bytes, createDictionary())).toEqual({ ok: true, value: frame })
  return bytes
}

describe('an update of a text', () => {
  test('goes without the client of who typed it', () => {
    const update = typed(alice, 100)
    expect(submitted(alice, update).length).toBeLessThan(update.length * 0.6)
    expect(submitted(bob, update).length).toBeGreaterThan(update.length)
  })

  test('comes out as it went in wherever the client stands, whoever typed it', () => {
    const client = [...typed(alice, 1)].slice(2, 7)
    for (const bytes of [
      [],
      client,
      [...client, ...client],
      [1, ...client, 2],
      client.slice(1),
      [...client.slice(0, 2), ...client],
      [...client, ...client.slice(0, 4)],
    ])
      submitted(alice, Uint8Array.from(bytes))
    submitted(short, typed(short, 20))
  })

  test('comes out likewise of what is pulled and given', () => {
    const [update, other] = [typed(alice, 30), typed(bob, 30)]
    const mark = { ms: 1_764_000_000_000, tick: 0, writer: alice }
    const context = new Map([[alice, mark]])
    const row = { ...emptyRow, cells: new Map([[body, { strategy: 'text' as const, context }]]) }
    const updates = [update, other]
    const changes: Frame = {
      type: 'changes',
      rows: [{ key, delta: row, parts: 1, texts: new Map([[body, { kind: 'tail', updates }]]) }],
      place: 5,
      head: 5,
      cut: null,
      answer: false,
      writers: [],
    }
    const ahead = { key, row: emptyRow, texts: new Map([[body, updates]]) }
    const give: Frame = {
      type: 'give',
      rows: [ahead, { key, row, texts: new Map([[body, updates]]) }],
      last: true,
    }
    for (const frame of [changes, give])
      expect(decodeFrame(encodeFrame(frame))).toEqual({ ok: true, value: frame })
    expect(encodeFrame(changes).length).toBeLessThan(update.length + other.length)
  })

  test('has one form: what could be left out is, and nothing else', () => {
    const client = typed(alice, 1).slice(2, 7)
    const left = submitted(alice, Uint8Array.from([9, ...client, 8]))
    const at = left.lastIndexOf(9) - 3
    expect([...left.slice(at, at + 5)]).toEqual([7 * 2 + 1, 1, 1, 9, 8])
    const forged = (form: readonly number[]): string => {
      const decoded = decodeFrame(Uint8Array.from([...left.slice(0, at), ...form, ...left.slice(at + 5)]))
      return decoded.ok ? 'taken' : decoded.error.code
    }
    expect(forged([15, 1, 1, 9, 8])).toBe('taken')
    // Not left out; no places; a place beyond the end; more places than there is room for; fewer bytes than said.
    expect(forged([14, 9, ...client, 8])).toBe('malformed-frame')
    expect(forged([5, 0, 9, 8])).toBe('malformed-frame')
    expect(forged([15, 1, 3, 9, 8])).toBe('malformed-frame')
    expect(forged([15, 2, 1, 0, 9])).toBe('malformed-frame')
    expect(forged([255, 255, 7, 1, 1, 9, 8])).toBe('malformed-frame')
    // Of two that stand there one was left out.
    expect(forged([2 * 10 + 1, 1, 0, ...client])).toBe('malformed-frame')
  })
})
