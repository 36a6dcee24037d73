/** An arbitrary frame of each type. */
import type { Frame } from '@rejoin/core'
import fc from 'fast-check'
import { arbitraryBytes, arbitraryMark, arbitraryPart, arbitraryWriter } from './generators.ts'
import {
  brought,
  list,
  position,
  name,
  time,
  digest,
  generation,
  store,
  positions,
  cursor,
  generations,
  arbitraryKey,
  arbitraryFailure,
  stateVector,
  texts,
  arbitraryWrite,
  changes,
  rangeBound,
} from './part-generators.ts'

/** A frame of each type. Only the hello's protocol is fixed. */
export const arbitraryFrames: { readonly [T in Frame['type']]: fc.Arbitrary<Extract<Frame, { type: T }>> } = {
  hello: fc.record({
    type: fc.constant('hello'),
    protocol: fc.constant(1),
    space: name,
    token: fc.string({ unit: 'grapheme', maxLength: 80 }),
    replica: store,
    device: name,
    role: fc.constantFrom('client', 'peer'),
    cursors: list(cursor),
    empty: fc.boolean(),
    frontier: positions,
    reach: positions,
    level: fc.constantFrom('local', 'relay', 'quorum'),
    credit: position,
  }),
  welcome: fc.record({
    type: fc.constant('welcome'),
    time,
    store,
    begin: fc.constantFrom('resume', 'join', 'new'),
    cursor,
    generations,
    frontier: positions,
    covers: fc.boolean(),
    levels: list(fc.constantFrom('local', 'relay', 'quorum')),
    user: name,
    leader: fc.option(store, { nil: null }),
    term: position,
  }),
  refuse: fc.record({ type: fc.constant('refuse'), error: arbitraryFailure }),
  bye: fc.record({ type: fc.constant('bye'), retryAfterMs: time }),
  credit: fc.record({ type: fc.constant('credit'), bytes: position }),
  changes,
  want: fc.record({
    type: fc.constant('want'),
    keys: list(arbitraryKey),
    texts: list(fc.record({ key: arbitraryKey, part: arbitraryPart, stateVector })),
    writers: list(arbitraryWriter),
  }),
  text: fc.record({
    type: fc.constant('text'),
    key: arbitraryKey,
    part: arbitraryPart,
    update: arbitraryBytes,
    more: fc.boolean(),
  }),
  submit: fc.record({
    type: fc.constant('submit'),
    round: position,
    transactions: list(
      fc.record({
        writes: list(arbitraryWrite),
        preconditions: fc.oneof(
          fc.constant([]),
          list(
            fc.record({
              key: arbitraryKey,
              part: arbitraryPart,
              mark: fc.option(arbitraryMark, { nil: null }),
            }),
          ),
        ),
      }),
    ),
  }),
  'go-on': fc.record({ type: fc.constant('go-on'), round: position }),
  verdict: fc.record({
    type: fc.constant('verdict'),
    count: fc.nat({ max: 2 ** 48 }),
    generation,
    position,
    cut: fc.boolean(),
    exceptions: list(
      fc.oneof(
        fc.record({
          index: position,
          kind: fc.constant('refused' as const),
          write: position,
          error: arbitraryFailure,
        }),
        fc.record({ index: position, kind: fc.constant('skipped' as const) }),
        fc.record({
          index: position,
          kind: fc.constantFrom('lost' as const, 'hidden' as const),
          write: position,
        }),
        fc.record({ index: position, kind: fc.constant('partial' as const), write: position }),
      ),
    ),
  }),
  range: fc.record({
    type: fc.constant('range'),
    ranges: list(
      fc.record({
        end: fc.option(rangeBound, { nil: null }),
        content: fc.oneof(
          fc.record({ kind: fc.constant('skip' as const) }),
          fc.record({ kind: fc.constant('sum' as const), count: position, hash: digest }),
          fc.record({
            kind: fc.constant('items' as const),
            items: list(fc.record({ mark: arbitraryMark, key: arbitraryKey, digest })),
          }),
        ),
      }),
    ),
  }),
  give: fc.record({
    type: fc.constant('give'),
    rows: list(fc.record({ key: arbitraryKey, row: brought, texts })),
    last: fc.boolean(),
  }),
  given: fc.record({
    type: fc.constant('given'),
    count: position,
    generation,
    position,
    refused: list(fc.record({ key: arbitraryKey, error: arbitraryFailure })),
  }),
  heartbeat: fc.record({ type: fc.constant('heartbeat'), position, time }),
  presence: fc.record({ type: fc.constant('presence'), from: name, state: arbitraryBytes }),
  passed: fc.record({
    type: fc.constant('passed'),
    session: position,
    content: fc.oneof(
      fc.record({ kind: fc.constant('begin' as const), user: name, replica: store, device: name }),
      fc.record({ kind: fc.constant('frame' as const), bytes: arbitraryBytes }),
      fc.record({ kind: fc.constant('end' as const) }),
    ),
  }),
  quorum: fc.record({ type: fc.constant('quorum'), generation, position }),
}

export const arbitraryFrame: fc.Arbitrary<Frame> = fc.oneof(...Object.values(arbitraryFrames))
