import { text, type LiveDocument } from '@rejoin/resolve'
import { screenUpdate } from '@rejoin/resolve/screen'
import { limits, type TextAnew } from '@rejoin/core'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import {
  contentOf,
  createAuthor,
  createRandom,
  documentOf,
  editCharacters,
  pick,
  stateOf,
  writeHistory,
} from './yjs-history.ts'

const support = text().text

function record(live: LiveDocument): Uint8Array[] {
  const updates: Uint8Array[] = []
  live.onEdit(() => updates.push(...live.takeEdits()))
  return updates
}

function isUpdate(anew: TextAnew): anew is Uint8Array {
  return anew instanceof Uint8Array
}

function deltaOf(updates: readonly Uint8Array[]): unknown {
  return contentOf(documentOf(updates))
}

test('[X7] a text begins with one insert under the given client id', () => {
  const created = support.create('Hello', 7)
  expect(created && support.read([created])).toBe('Hello')
  expect(created && [...stateOf(documentOf([created]))]).toEqual([[7, 5]])
  expect(support.create('', 7)).toBeNull()
})

test('[X5] a beginning that three devices give one text stands there three times', () => {
  const created = [5, 6, 7].map(client => support.create('Welcome! ', client) ?? new Uint8Array())
  expect(support.read(created)).toBe('Welcome! Welcome! Welcome! ')
  expect(
    created.map(update => screenUpdate(update, { client: 8, known: new Map(), ownership: true }).ok),
  ).toEqual([false, false, false])
})

test('[W5] clearing deletes what readers see, and nothing that they do not see yet', () => {
  const alice = createAuthor(4)
  alice.text.insert(0, 'seen', { bold: true })
  const seen = [...alice.updates]
  alice.text.insert(4, ' unseen')
  const cleared = support.clear(seen, 9)
  if (cleared === null) expect.fail('nothing cleared')
  expect(support.read([...seen, cleared])).toBe('')
  expect(support.read([...alice.updates, cleared])).toBe(' unseen')
  expect(support.clear([...seen, cleared], 9)).toBeNull()
})

test('[W5] clearing can put a new beginning in the place, also under a client id that the text knows', () => {
  const created = support.create('old', 9)
  const replaced = created && support.clear([created], 9, 'new')
  expect(created && replaced && support.read([created, replaced])).toBe('new')
})

test('[X5] each local transaction is one update that passes the screen and makes the same text', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = createRandom(seed)
    const body = writeHistory(random, { authors: 2, steps: 15 }).log.map(entry => entry.update)
    const live = support.open(body, 77)
    const updates = record(live)
    const known = new Map(stateOf(documentOf(body)))
    for (let i = 0; i < 20; i++) live.document.transact(() => editCharacters(live.text, random))
    for (const update of updates) {
      const screened = screenUpdate(update, { client: 77, known, ownership: true })
      if (!screened.ok) expect.fail(`seed ${seed}: ${JSON.stringify(screened.error)}`)
      for (const [client, clock] of screened.value.stateVector) known.set(client, clock)
    }
    expect(deltaOf([...body, ...updates]), `seed ${seed}`).toEqual(contentOf(live.document))
  }
})

test('[X5] undoing and redoing pass the screen like typing', () => {
  const live = support.open([support.create('Hello', 5) ?? new Uint8Array()], 77)
  const updates = record(live)
  const undo = new Y.UndoManager(live.text, { captureTimeout: 0 })
  live.text.delete(1, 3)
  live.text.insert(2, '!', { bold: true })
  undo.undo()
  undo.undo()
  undo.redo()
  undo.undo()
  expect(live.text.toString()).toBe('Hello')
  const known = new Map([[5, 5]])
  for (const update of updates) {
    const screened = screenUpdate(update, { client: 77, known, ownership: true })
    if (!screened.ok) expect.fail(JSON.stringify(screened.error))
    for (const [client, clock] of screened.value.stateVector) known.set(client, clock)
  }
})

test('[X5] opening a text and taking in updates from elsewhere write nothing', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const { log } = writeHistory(createRandom(seed), { authors: 3, steps: 40 })
    const live = support.open([], 77)
    const updates = record(live)
    live.apply(log.map(({ update }) => update))
    expect(updates).toEqual([])
    expect(support.head([Y.encodeStateAsUpdate(live.document)]).digest).toBe(
      support.head(log.map(entry => entry.update)).digest,
    )
  }
})

test('[X5] what came together is one event for editors, and none of their own', () => {
  const alice = createAuthor(4)
  for (const word of ['one ', 'two ', 'three']) alice.text.insert(alice.text.length, word)
  const live = support.open([], 77)
  const events: unknown[] = []
  live.text.observe(({ delta }, { local }) => events.push({ delta, local }))
  live.apply(alice.updates)
  expect(events).toEqual([{ delta: [{ insert: 'one two three' }], local: false }])
})

test('[X7] a text with own earlier edits opens under the same client id, and keeps it when they come again', () => {
  const live = support.open([], 77)
  const updates = record(live)
  live.text.insert(0, 'abc')
  const again = support.open(updates, 77)
  expect(again.document.clientID).toBe(77)
  again.apply(updates)
  again.text.insert(3, 'def')
  expect(again.document.clientID).toBe(77)
  expect([...stateOf(again.document)]).toEqual([[77, 6]])
})

test('[X7] after setClient, edits bear the new client id', () => {
  const live = support.open([], 77)
  const updates = record(live)
  live.text.insert(0, 'a')
  live.setClient(78)
  live.text.insert(1, 'b')
  live.close()
  expect(updates.map(update => [...Y.parseUpdateMeta(update).to.keys()])).toEqual([[77], [78]])
})

test('[X5] lone surrogates are repaired where they are typed, so that all replicas show the same', () => {
  const live = support.open([], 77)
  const updates = record(live)
  live.text.insert(0, 'a\ud800b')
  live.text.applyDelta([{ insert: '\udc00' }])
  live.text.insert(0, '😀')
  expect(live.text.toString()).toBe('😀\ufffda\ufffdb')
  expect(support.read(updates)).toBe(live.text.toString())
})

test('[X5] values in a text are what JSON makes of them, for their author too', () => {
  const live = support.open([], 77)
  const updates = record(live)
  live.text.insertEmbed(0, { at: new Date(0), gone: undefined, big: Infinity })
  live.text.insert(1, 'x', { size: Number.NaN })
  expect(live.text.toDelta()).toEqual([
    { insert: { at: '1970-01-01T00:00:00.000Z', big: null } },
    { insert: 'x' },
  ])
  expect(deltaOf(updates)).toEqual(contentOf(live.document))
})

test('[X5] what no relay would take cannot be put into a text', () => {
  const live = support.open([], 77)
  const updates = record(live)
  const unsupported = expect.objectContaining({ code: 'value-unsupported' })
  expect(() => live.text.insertEmbed(0, new Y.Map())).toThrow(unsupported)
  expect(() => live.text.applyDelta([{ insert: new Y.Text() }])).toThrow(unsupported)
  expect(() => live.text.setAttribute('a', 1)).toThrow(unsupported)
  expect(() => live.text.insert(0, 'x', JSON.parse('{"__proto__":1}'))).toThrow(
    expect.objectContaining({ code: 'key-forbidden' }),
  )
  expect(() => live.text.insertEmbed(0, { data: 'x'.repeat(100_000) })).toThrow(
    expect.objectContaining({ code: 'limit-exceeded' }),
  )
  expect(updates).toEqual([])
})

test('[F4] a paste of 1 MB comes out as small updates, each of which passes the screen', () => {
  const live = support.open([], 77)
  const updates = record(live)
  live.text.insert(0, 'before after')
  const pasted = 'x😀é日'.repeat(100_000).slice(0, 500_000)
  live.text.insert(7, pasted, { bold: true })
  expect(updates.length).toBeGreaterThan(10)
  const known = new Map<number, number>()
  for (const update of updates) {
    expect(update.length).toBeLessThanOrEqual(limits.textUpdateBytesMax)
    const screened = screenUpdate(update, { client: 77, known, ownership: true })
    if (!screened.ok) expect.fail(JSON.stringify(screened.error))
    for (const [client, clock] of screened.value.stateVector) known.set(client, clock)
  }
  expect(deltaOf(updates)).toEqual(contentOf(live.document))
  expect(support.head(updates).digest).toBe(support.head([Y.encodeStateAsUpdate(live.document)]).digest)
})

test('[F4] a transaction of many edits, with deletes, is split in the same way', () => {
  const live = support.open([], 77)
  const updates = record(live)
  live.text.insert(0, 'lorem ipsum '.repeat(10_000))
  live.document.transact(() => {
    for (let at = 0; at < 60_000; at += 3) {
      live.text.insert(at, 'w')
      live.text.delete(at + 2, 1)
    }
  })
  expect(updates.length).toBeGreaterThan(5)
  for (const update of updates) expect(update.length).toBeLessThanOrEqual(limits.textUpdateBytesMax)
  expect(support.read(updates)).toBe(live.text.toString())
})

test('[X9] edits made anew, with nothing refused, make the very same text under the new client id', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = createRandom(seed)
    const confirmed = writeHistory(random, { authors: 2, steps: 15 }).log.map(entry => entry.update)
    const live = support.open(confirmed, 77)
    const later = record(live)
    for (let i = 0; i < 12; i++) live.document.transact(() => editCharacters(live.text, random))
    const remade = support.remake(confirmed, [], [], later, () => 99).filter(isUpdate)
    expect(deltaOf([...confirmed, ...remade]), `seed ${seed}`).toEqual(contentOf(live.document))
    expect(stateOf(documentOf([...confirmed, ...remade])).has(77)).toBe(false)
  }
})

interface Character {
  readonly letter: string
  readonly isRefused: boolean
  isGoneInOld: boolean
  isGoneInNew: boolean
}

/** What remains, told by a list of characters and nothing else. */
function createNaiveText(initial: string) {
  const characters: Character[] = [...initial].map(letter => ({
    letter,
    isRefused: false,
    isGoneInOld: false,
    isGoneInNew: false,
  }))
  const shown = (): Character[] => characters.filter(character => !character.isGoneInOld)
  return {
    length: (): number => shown().length,
    insert(at: number, letters: string, isRefused: boolean): void {
      const left = shown()[at - 1]
      let place = left === undefined ? 0 : characters.indexOf(left) + 1
      // Yjs inserts behind what is deleted.
      while (characters[place]?.isGoneInOld === true) place++
      const inserted = [...letters].map(letter => ({
        letter,
        isRefused,
        isGoneInOld: false,
        isGoneInNew: isRefused,
      }))
      characters.splice(place, 0, ...inserted)
    },
    delete(at: number, length: number, isRefused: boolean): void {
      for (const character of shown().slice(at, at + length)) {
        character.isGoneInOld = true
        if (!isRefused) character.isGoneInNew = true
      }
    },
    old: (): string =>
      shown()
        .map(character => character.letter)
        .join(''),
    remaining: (): string =>
      characters
        .filter(character => !character.isGoneInNew)
        .map(character => character.letter)
        .join(''),
  }
}

test('[X9] edits made anew stand at their places, without what was refused', () => {
  let differing = 0
  for (let seed = 1; seed <= 400; seed++) {
    const random = createRandom(seed)
    const initial = 'abcdefghij'.slice(0, Math.floor(random() * 11))
    const confirmed = [support.create(initial, 5)].filter(update => update !== null)
    const naive = createNaiveText(initial)
    const live = support.open(confirmed, 77)
    const updates = record(live)
    const edit = (isRefused: boolean): void => {
      const at = Math.floor(random() * (naive.length() + 1))
      if (random() < 0.6 || at === naive.length()) {
        const letters = pick(random, isRefused ? ['X', 'YZ'] : ['1', '23', '456'])
        live.text.insert(at, letters)
        naive.insert(at, letters, isRefused)
      } else {
        const length = 1 + Math.floor(random() * Math.min(4, naive.length() - at))
        live.text.delete(at, length)
        naive.delete(at, length, isRefused)
      }
    }
    for (let i = 0; i < 4; i++) edit(true)
    const refused = updates.splice(0)
    for (let i = 0; i < 10; i++) edit(false)
    expect(naive.old()).toBe(live.text.toString())
    const remade = support.remake(confirmed, refused, [], updates, () => 99)
    expect(remade.length).toBe(updates.length)
    const made = remade.filter(isUpdate)
    expect(support.read([...confirmed, ...made]), `seed ${seed}`).toBe(naive.remaining())
    if (naive.remaining() !== naive.old()) differing++
    const known = new Map(stateOf(documentOf(confirmed)))
    for (const update of made) {
      const screened = screenUpdate(update, { client: 99, known, ownership: true })
      if (!screened.ok) expect.fail(`seed ${seed}: ${JSON.stringify(screened.error)}`)
      for (const [client, clock] of screened.value.stateVector) known.set(client, clock)
    }
  }
  expect(differing).toBeGreaterThan(300)
})

test('[X9] nothing remains of an edit that only touched what was refused', () => {
  const live = support.open([], 77)
  const updates = record(live)
  live.text.insert(0, 'refused')
  live.text.delete(0, 3)
  live.text.insert(4, ' kept')
  const [refused = new Uint8Array(), ...later] = updates
  const remade = support.remake([], [refused], [], later, () => 99)
  expect(remade.map(update => update !== 'nothing')).toEqual([false, true])
  expect(support.read(remade.filter(isUpdate))).toBe(' kept')
})

test('[X9] no edit is made over one that goes too, and what was typed behind that stands where that was', () => {
  const live = support.open([], 77)
  const updates = record(live)
  live.text.insert(0, 'refused')
  live.text.insert(7, ' gone')
  live.text.delete(8, 4)
  live.text.insert(8, 'kept')
  const [refused = new Uint8Array(), gone = new Uint8Array(), ...rest] = updates
  const remade = support.remake([], [refused], [], [gone, ...rest], () => 99, new Set([gone]))
  expect(remade.map(update => typeof update)).toEqual(['string', 'string', 'object'])
  expect(support.read(remade.filter(isUpdate))).toBe('kept')
})

test('[X9] of an edit whose text nobody has, it is said that it is lost', () => {
  const live = support.open([], 77)
  const updates = record(live)
  live.text.insert(0, 'gone')
  live.text.insert(4, ' on')
  expect(support.remake([], [], [], updates.slice(1), () => 99)).toEqual(['lost'])
})

test('[X9] formats and embeds survive being made anew, and a refused format leaves no trace', () => {
  const confirmed = [support.create('one two three', 5)].filter(update => update !== null)
  const live = support.open(confirmed, 77)
  const updates = record(live)
  live.text.format(0, 13, { bold: true })
  const refused = updates.splice(0)
  live.text.format(4, 3, { bold: null })
  live.text.format(8, 5, { color: 'teal' })
  live.text.insertEmbed(0, { image: 'x' })
  const remade = support.remake(confirmed, refused, [], updates, () => 99)
  expect(deltaOf([...confirmed, ...remade.filter(isUpdate)])).toEqual([
    { insert: { image: 'x' } },
    { insert: 'one two ' },
    { insert: 'three', attributes: { color: 'teal' } },
  ])
})

test('[X9] what was typed in a text that was made anew meanwhile finds its place in what it became, pass after pass', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = createRandom(seed)
    const confirmed = [support.create('abcdefghij', 5)].filter(update => update !== null)
    const live = support.open(confirmed, 77)
    const updates = record(live)
    const edit = (): void => live.document.transact(() => editCharacters(live.text, random))
    for (let i = 0; i < 4; i++) edit()
    const first = updates.splice(0)
    // While these are made anew, and again, somebody types on in what they were.
    for (let i = 0; i < 4; i++) edit()
    const meanwhile = updates.splice(0)
    for (let i = 0; i < 4; i++) edit()
    const last = updates.splice(0)
    const moves: { readonly old: readonly Uint8Array[]; readonly now: readonly Uint8Array[] }[] = []
    const again = (old: readonly Uint8Array[], standing: readonly Uint8Array[], client: number) => {
      const now = support.remake(standing, [], moves, old, () => client).filter(isUpdate)
      moves.push({ old, now })
      return now
    }
    const one = again(first, confirmed, 101)
    const two = again(one, confirmed, 102)
    const three = again(meanwhile, [...confirmed, ...two], 103)
    const four = again(last, [...confirmed, ...two, ...three], 104)
    const all = [...confirmed, ...two, ...three, ...four]
    expect(support.read(all), `seed ${seed}`).toBe(live.text.toString())
    expect([...stateOf(documentOf(all)).keys()].every(client => client === 5 || client > 101)).toBe(true)
  }
})
