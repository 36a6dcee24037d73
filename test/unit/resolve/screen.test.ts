import { screenUpdate } from '@rejoin/resolve/screen'
import { createEncoder, toUint8Array, writeUint8, writeVarString, writeVarUint } from 'lib0/encoding'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import {
  byNumber,
  createAuthor,
  createRandom,
  documentOf,
  pick,
  stateOf,
  writeHistory,
} from './yjs-history.ts'

const nothing: ReadonlyMap<number, number> = new Map()

function codeOf(update: Uint8Array, client = 1, known = nothing, ownership = true): string {
  const screened = screenUpdate(update, { client, known, ownership })
  return screened.ok ? 'accepted' : screened.error.code
}

/** A struct's first byte: a string that has an origin. */
const anchored = [128 | 4]

/** An update written by hand: numbers as Yjs writes them, texts as strings, lists as bare bytes. */
function handmade(...parts: readonly (number | string | readonly number[])[]): Uint8Array {
  const encoder = createEncoder()
  for (const part of parts) {
    if (typeof part === 'string') writeVarString(encoder, part)
    else if (typeof part === 'number') writeVarUint(encoder, part)
    else for (const byte of part) writeUint8(encoder, byte)
  }
  return toUint8Array(encoder)
}

test('[X5] every honest update passes in order, and leads to the state of a real Y.Doc', () => {
  for (let seed = 1; seed <= 400; seed++) {
    const { log, authors } = writeHistory(createRandom(seed), { authors: 3, steps: 40 })
    const known = new Map<number, number>()
    const stored: Uint8Array[] = []
    for (const { client, update } of log) {
      const screened = screenUpdate(update, { client, known, ownership: true })
      if (!screened.ok) expect.fail(`seed ${seed}: ${JSON.stringify(screened.error)}`)
      expect(screened.value.update).toBe(update)
      expect(screened.value.isNew).toBe(true)
      for (const [each, clock] of screened.value.stateVector) known.set(each, clock)
      stored.push(update)
    }
    const document = documentOf(stored)
    expect(byNumber(known)).toEqual(byNumber(stateOf(document)))
    for (const author of authors) Y.applyUpdate(document, Y.encodeStateAsUpdate(author.document))
    expect(byNumber(known)).toEqual(byNumber(stateOf(document)))
  }
})

test('[X8] a whole body passes without ownership, in any part that a state vector asks for', () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = createRandom(seed)
    const { log } = writeHistory(random, { authors: 4, steps: 40 })
    const cut = Math.floor(random() * log.length)
    const early = documentOf(log.slice(0, cut).map(entry => entry.update))
    const late = documentOf(log.map(entry => entry.update))
    const difference = Y.encodeStateAsUpdate(late, Y.encodeStateVector(early))
    expect(codeOf(difference, 0, stateOf(early), false), `seed ${seed}`).toBe('accepted')
    expect(codeOf(Y.encodeStateAsUpdate(late), 0, nothing, false), `seed ${seed}`).toBe('accepted')
  }
})

test('[X5] whatever bytes come, the screen answers, and what it lets through can be applied without a rest', () => {
  let accepted = 0
  for (let seed = 1; seed <= 120; seed++) {
    const random = createRandom(seed)
    const { log } = writeHistory(random, { authors: 3, steps: 30 })
    const before: Uint8Array[] = []
    const check = (bytes: Uint8Array, client: number, ownership: boolean): void => {
      const known = stateOf(documentOf(before))
      const screened = screenUpdate(bytes, { client, known, ownership })
      if (!screened.ok) return
      accepted++
      for (const mutant of [bytes, screened.value.update]) {
        const document = documentOf([...before, mutant])
        expect(document.store.pendingStructs, `seed ${seed}`).toBeNull()
        expect(document.store.pendingDs, `seed ${seed}`).toBeNull()
        document.getText('text').toDelta()
        for (const [each, clock] of screened.value.stateVector) {
          expect(stateOf(document).get(each), `seed ${seed}`).toBe(clock)
        }
      }
    }
    for (const { client, update } of log) {
      if (before.length < 6 || random() < 0.2) {
        for (let i = 0; i < 12; i++) {
          const flipped = update.slice()
          const at = Math.floor(random() * flipped.length)
          flipped[at] = (flipped[at] ?? 0) ^ (1 << Math.floor(random() * 8))
          check(flipped, client, random() < 0.5)
        }
        const body = Y.mergeUpdates([...before, update])
        const changed = body.slice()
        for (let i = 0; i < 2; i++)
          changed[Math.floor(random() * changed.length)] = Math.floor(random() * 256)
        check(changed, client, false)
      }
      before.push(update)
    }
  }
  expect(accepted).toBeGreaterThan(500)
})

test('[X5] structs that refer anywhere pass exactly if a real Y.Doc can place them all', () => {
  const counts = { accepted: 0, refused: 0 }
  const before = createAuthor(2)
  before.text.insert(0, 'known')
  const body = Y.encodeStateAsUpdate(before.document)
  const known = new Map([[2, 5]])
  for (let seed = 1; seed <= 3000; seed++) {
    const random = createRandom(seed)
    const reference = (): number[] => [Math.floor(random() * 4) + 1, Math.floor(random() * 4)]
    const parts: (number | string | readonly number[])[] = [3]
    for (const client of [4, 3, 1]) {
      const structs = 1 + Math.floor(random() * 2)
      parts.push(structs, client, 0)
      for (let i = 0; i < structs; i++) {
        const isLeft = random() < 0.4
        const isRight = random() < 0.3
        parts.push([4 | (isLeft ? 128 : 0) | (isRight ? 64 : 0)])
        if (isLeft) parts.push(...reference())
        if (isRight) parts.push(...reference())
        if (!isLeft && !isRight) parts.push(1, 'text')
        parts.push(pick(random, ['x', 'xy', 'xyz']))
      }
    }
    parts.push(random() < 0.5 ? 0 : 1)
    if (parts.at(-1) === 1) parts.push(Math.floor(random() * 4) + 1, 1, Math.floor(random() * 4), 2)
    const update = handmade(...parts)
    const isAccepted = codeOf(update, 1, known, false) === 'accepted'
    counts[isAccepted ? 'accepted' : 'refused']++
    let isPlaced: boolean
    try {
      const { store } = documentOf([body, update])
      isPlaced = store.pendingStructs === null && store.pendingDs === null
    } catch {
      isPlaced = false
    }
    expect(isAccepted, `seed ${seed}`).toBe(isPlaced)
  }
  expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(500)
})

test('[X5] no prefix of an update passes, and no update passes with bytes behind it', () => {
  const { log } = writeHistory(createRandom(7), { authors: 2, steps: 60 })
  const known = new Map<number, number>()
  for (const { client, update } of log) {
    for (let length = 0; length < update.length; length++) {
      expect(codeOf(update.subarray(0, length), client, known)).not.toBe('accepted')
    }
    expect(codeOf(Uint8Array.of(...update, 0), client, known)).toBe('text-invalid')
    const screened = screenUpdate(update, { client, known, ownership: true })
    if (screened.ok) for (const [each, clock] of screened.value.stateVector) known.set(each, clock)
  }
})

test('[X5] random bytes never pass as anything but the empty update', () => {
  const random = createRandom(3)
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 24) }, () => Math.floor(random() * 256))
    const screened = screenUpdate(bytes, { client: 1, known: nothing, ownership: false })
    if (screened.ok) expect([...bytes]).toEqual([0, 0])
  }
})

test('[X4] no update of format V2 passes', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const { log } = writeHistory(createRandom(seed), { authors: 3, steps: 25 })
    const before: Uint8Array[] = []
    for (const { client, update } of log) {
      const known = stateOf(documentOf(before))
      before.push(update)
      expect(codeOf(Y.convertUpdateFormatV1ToV2(update), client, known, false)).not.toBe('accepted')
    }
    const body = Y.convertUpdateFormatV1ToV2(Y.mergeUpdates(before))
    expect(codeOf(body, 1, nothing, false)).not.toBe('accepted')
  }
})

test('[X4] a 25-byte bomb of format V2 is refused at once', () => {
  const document = new Y.Doc()
  document.clientID = 1
  document.getText('text').insert(0, 'a')
  const bomb = Y.encodeStateAsUpdateV2(document)
  expect(codeOf(bomb, 1)).toBe('text-invalid')
})

test('[X5] nine bytes that claim another writer’s clocks are refused, whoever sends them', () => {
  const stealing = handmade(1, 1, 77, 0, 0, 2 ** 20, 0)
  expect(stealing.length).toBeLessThanOrEqual(9)
  expect(codeOf(stealing, 1)).toBe('text-invalid')
  expect(codeOf(stealing, 77)).toBe('text-invalid')
  expect(codeOf(stealing, 1, nothing, false)).toBe('text-invalid')
})

test('[X5] GC and skip structs are refused, for one’s own clocks too and without ownership', () => {
  for (const kind of [0, 10]) {
    expect(codeOf(handmade(1, 1, 1, 0, kind, 5, 0), 1)).toBe('text-invalid')
    expect(codeOf(handmade(1, 1, 1, 0, kind, 5, 0), 1, nothing, false)).toBe('text-invalid')
  }
})

test('[X5] structs of another client are refused as not owned', () => {
  const author = createAuthor(5)
  author.text.insert(0, 'mine')
  const [update] = author.updates
  expect(update && screenUpdate(update, { client: 6, known: nothing, ownership: true })).toEqual({
    ok: false,
    error: { code: 'text-not-owned', details: { client: 5 } },
  })
  expect(update && codeOf(update, 6, nothing, false)).toBe('accepted')
})

test('[X5] a gap is refused with what is there and what comes', () => {
  const author = createAuthor(5)
  author.text.insert(0, 'abc')
  author.text.insert(3, 'def')
  expect(
    screenUpdate(author.updates[1] ?? new Uint8Array(), { client: 5, known: nothing, ownership: true }),
  ).toEqual({
    ok: false,
    error: { code: 'text-gap', details: { client: 5, have: 0, from: 3 } },
  })
})

test('[X5] references and deletes beyond what is known are a gap', () => {
  // An origin at another client's clock 4, of which 3 are known; and a delete of that client's clocks 2 to 4.
  const referring = handmade(1, 1, 5, 0, anchored, 9, 4, 'x', 0)
  const deleting = handmade(0, 1, 9, 1, 2, 3)
  for (const update of [referring, deleting]) {
    expect(codeOf(update, 5, new Map([[9, 3]]))).toBe('text-gap')
    expect(codeOf(update, 5, new Map([[9, 5]]))).toBe('accepted')
  }
})

test('[X5] structs that refer to what comes after them, or to each other in a circle, are refused', () => {
  const forward = handmade(1, 1, 5, 0, anchored, 5, 0, 'x', 0)
  expect(codeOf(forward, 5)).toBe('text-invalid')
  const circle = handmade(2, 1, 9, 0, anchored, 5, 0, 'x', 1, 5, 0, anchored, 9, 0, 'y', 0)
  expect(codeOf(circle, 5, nothing, false)).toBe('text-invalid')
  const line = handmade(2, 1, 9, 0, anchored, 5, 0, 'x', 1, 5, 0, 4, 1, 'text', 'y', 0)
  expect(codeOf(line, 5, nothing, false)).toBe('accepted')
})

test('[X5] only strings, embeds, formats and deleted runs under the root text pass', () => {
  const string = (root: string): Uint8Array => handmade(1, 1, 5, 0, 4, 1, root, 'x', 0)
  expect(codeOf(string('text'), 5)).toBe('accepted')
  expect(codeOf(string('other'), 5)).toBe('text-invalid')
  expect(codeOf(handmade(1, 1, 5, 0, 4, 0, 9, 0, 'x', 0), 5, new Map([[9, 1]]))).toBe('text-invalid')
  expect(codeOf(handmade(1, 1, 5, 0, 32 | 4, 1, 'text', 'key', 'x', 0), 5)).toBe('text-invalid')
  for (const kind of [2, 3, 7, 8, 9, 11, 31]) {
    expect(codeOf(handmade(1, 1, 5, 0, kind, 1, 'text', 1, 1, 0), 5)).toBe('text-invalid')
  }
  const document = new Y.Doc()
  document.clientID = 5
  document.getText('text').insertEmbed(0, new Y.Map())
  expect(codeOf(Y.encodeStateAsUpdate(document), 5)).toBe('text-invalid')
  const other = new Y.Doc()
  other.clientID = 5
  other.getMap('text').set('key', 1)
  expect(codeOf(Y.encodeStateAsUpdate(other), 5)).toBe('text-invalid')
})

test('[X5] values that would not read back as themselves, or nest too deep, are refused', () => {
  const embed = (json: string): string => codeOf(handmade(1, 1, 5, 0, 5, 1, 'text', json, 0), 5)
  expect(embed('{"a":[1,2.5,null]}')).toBe('accepted')
  expect(embed('{"a":1')).toBe('text-invalid')
  expect(embed('1e999')).toBe('text-invalid')
  expect(embed(' 1')).toBe('text-invalid')
  expect(embed('{"__proto__":{"polluted":true}}')).toBe('text-invalid')
  expect(embed(`${'['.repeat(50_000)}${']'.repeat(50_000)}`)).toBe('text-invalid')
  const format = (key: string): string => codeOf(handmade(1, 1, 5, 0, 6, 1, 'text', key, 'true', 0), 5)
  expect(format('bold')).toBe('accepted')
  expect(format('__proto__')).toBe('text-invalid')
  const large = 'x'.repeat(256 * 1024)
  const given = (...content: readonly (number | string)[]): string =>
    codeOf(handmade(1, 1, 5, 0, ...content, 0), 5, nothing, false)
  expect(given(4, 1, 'text', large)).toBe('accepted')
  expect(given(5, 1, 'text', JSON.stringify(large))).toBe('text-invalid')
  expect(given(6, 1, 'text', large, 'true')).toBe('text-invalid')
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
})

test('[X5] strings that are not UTF-8 are refused', () => {
  for (const bytes of [[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82], [0x80]]) {
    const encoder = createEncoder()
    for (const part of [1, 1, 5, 0, 4, 1]) writeVarUint(encoder, part)
    writeVarString(encoder, 'text')
    writeVarUint(encoder, bytes.length)
    for (const byte of bytes) writeUint8(encoder, byte)
    writeVarUint(encoder, 0)
    expect(codeOf(toUint8Array(encoder), 5)).toBe('text-invalid')
  }
})

test('[F4] announced counts cost nothing, and what is too large is refused by its size', () => {
  expect(codeOf(handmade(1, 2 ** 32 - 1, 5, 0, 4), 5)).toBe('text-invalid')
  expect(codeOf(handmade(2 ** 40), 5)).toBe('text-invalid')
  expect(codeOf(new Uint8Array(256 * 1024 + 1), 5)).toBe('limit-exceeded')
  expect(codeOf(new Uint8Array(16 * 1024 * 1024 + 1), 5, nothing, false)).toBe('limit-exceeded')
})

test('[A4] a resend passes as it was, and of one that overlaps only what is new is stored', () => {
  const author = createAuthor(5)
  author.text.insert(0, 'abc')
  author.text.insert(3, 'def')
  const [first = new Uint8Array()] = author.updates
  const whole = Y.mergeUpdates(author.updates)
  const again = screenUpdate(first, { client: 5, known: new Map([[5, 3]]), ownership: true })
  expect(again.ok && again.value.isNew).toBe(false)
  const overlapping = screenUpdate(whole, { client: 5, known: new Map([[5, 3]]), ownership: true })
  if (!overlapping.ok) expect.fail('refused')
  expect(overlapping.value.isNew).toBe(true)
  expect(Y.parseUpdateMeta(overlapping.value.update).from.get(5)).toBe(3)
  expect(documentOf([first, overlapping.value.update]).getText('text').toString()).toBe('abcdef')
})

test('[X5] a resend that lies about what is known changes nothing in what is stored', () => {
  const lie = handmade(1, 1, 5, 0, 4, 1, 'text', 'LIEdef', 0)
  const screened = screenUpdate(lie, { client: 5, known: new Map([[5, 3]]), ownership: true })
  if (!screened.ok) expect.fail('refused')
  const honest = handmade(1, 1, 5, 0, 4, 1, 'text', 'abc', 0)
  expect(documentOf([honest, screened.value.update]).getText('text').toString()).toBe('abcdef')
  expect(pick(() => 0, [screened.value.stateVector.get(5)])).toBe(6)
})
