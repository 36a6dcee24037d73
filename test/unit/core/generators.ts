/**
 * Arbitrary marks, cells and rows for property tests. Marks and values come from small pools, so that writes
 * collide, repeat and beat each other; what is drawn keeps the invariants of the contract (siblings in the order
 * of their marks and covered by their context, contexts keyed by their writers, values of one mark alike unless
 * a forger is asked for).
 */
import {
  compareMarks,
  deletePolicies,
  keyOfBytes,
  partName,
  strategies,
  strategyOfPart,
  writerFromBytes,
} from '@rejoin/core'
import type {
  AskCell,
  Cell,
  Context,
  CounterCell,
  Deletion,
  LwwCell,
  Mark,
  PartName,
  Row,
  Seen,
  SetCell,
  Sibling,
  Strategy,
  TextCell,
  WriterId,
} from '@rejoin/core'
import fc from 'fast-check'

/** Whether two copies of one write may differ: only a forger makes such, and joins must bear it. */
export type Honesty = 'honest' | 'forged'

const writers: readonly WriterId[] = [
  writerFromBytes(new Uint8Array(8)),
  writerFromBytes(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8])),
  writerFromBytes(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 9])),
  writerFromBytes(new Uint8Array(8).fill(0xff)),
]

export const arbitraryWriter: fc.Arbitrary<WriterId> = fc.constantFrom(...writers)

const times = [0, 1, 1_764_000_000_000, 1_764_000_000_001, 1_764_086_400_000, 2 ** 48 - 1]

export const arbitraryMark: fc.Arbitrary<Mark> = fc.record({
  ms: fc.constantFrom(...times),
  tick: fc.constantFrom(0, 1, 2, 65_535),
  writer: arbitraryWriter,
})

/** Two in three are two bytes or fewer, so that they repeat. */
export const arbitraryBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.constantFrom(new Uint8Array(), new Uint8Array([0]), new Uint8Array([1])),
  fc.uint8Array({ maxLength: 2 }),
  fc.uint8Array({ maxLength: 40 }),
)

export const arbitraryContext: fc.Arbitrary<Context> = fc
  .array(arbitraryMark, { maxLength: 4 })
  .map(marks => contextOf(marks))

/** Names such that several strategies meet in one row, and one field has several. */
export const arbitraryPart: fc.Arbitrary<PartName> = fc
  .tuple(fc.constantFrom(...strategies), fc.constantFrom('title', 'body', 'é'))
  .map(([strategy, field]) => partName(strategy, field))

export function arbitraryCell(strategy: 'lww', honesty?: Honesty): fc.Arbitrary<LwwCell>
export function arbitraryCell(strategy: 'ask', honesty?: Honesty): fc.Arbitrary<AskCell>
export function arbitraryCell(strategy: 'set', honesty?: Honesty): fc.Arbitrary<SetCell>
export function arbitraryCell(strategy: 'counter', honesty?: Honesty): fc.Arbitrary<CounterCell>
export function arbitraryCell(strategy: 'text', honesty?: Honesty): fc.Arbitrary<TextCell>
export function arbitraryCell(strategy: Strategy, honesty?: Honesty): fc.Arbitrary<Cell>
export function arbitraryCell(strategy: Strategy, honesty: Honesty = 'honest'): fc.Arbitrary<Cell> {
  switch (strategy) {
    case 'lww':
      return fc
        .tuple(arbitraryMark, arbitraryBytes)
        .map(([last, drawn]) => ({ strategy, last, value: valueUnder(last, drawn, honesty) }))
    case 'ask':
      return arbitraryAsk(honesty)
    case 'set':
      return arbitrarySet
    case 'counter':
      return fc
        .array(
          fc.tuple(arbitraryMark, fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom(0.5, -1e300))),
          {
            maxLength: 4,
          },
        )
        .map(entries => ({
          strategy,
          entries: new Map(
            entries.map(([mark, drawn]) => [
              mark.writer,
              { mark, total: honesty === 'honest' ? mark.tick - (mark.ms % 10) : drawn },
            ]),
          ),
        }))
    case 'text':
      return arbitraryContext.map(context => ({ strategy, context }))
  }
}

export const arbitraryDeletion: fc.Arbitrary<Deletion> = fc.record({
  mark: arbitraryMark,
  policy: fc.constantFrom(...deletePolicies),
  seen: fc
    .array(
      arbitraryPart.chain(name => fc.tuple(fc.constant(name), arbitrarySeen(strategyOfPart(name)))),
      { maxLength: 3 },
    )
    .map(entries => new Map(entries)),
})

/** What a deletion can have seen of a field under a strategy. */
export function arbitrarySeen(strategy: Strategy): fc.Arbitrary<Seen> {
  const everything: fc.Arbitrary<Seen> = fc.constant({ kind: 'everything' })
  return strategy === 'lww'
    ? fc.oneof(
        arbitraryMark.map((mark): Seen => ({ kind: 'last', mark })),
        everything,
      )
    : fc.oneof(
        arbitraryContext.map((context): Seen => ({ kind: 'context', context })),
        everything,
      )
}

/** A row, from the empty one to one with a part of every strategy, a deletion and a revival. */
export const arbitraryRow: fc.Arbitrary<Row> = arbitraryRowOf('honest')

export function arbitraryRowOf(honesty: Honesty): fc.Arbitrary<Row> {
  return fc.record({
    cells: fc
      .array(
        arbitraryPart.chain(name =>
          fc.tuple(fc.constant(name), arbitraryCell(strategyOfPart(name), honesty)),
        ),
        { maxLength: 4 },
      )
      .map(entries => new Map(entries)),
    deletion: fc.option(arbitraryDeletion, { nil: null, freq: 2 }),
    revival: fc.option(arbitraryMark, { nil: null, freq: 2 }),
  })
}

function arbitraryAsk(honesty: Honesty): fc.Arbitrary<AskCell> {
  const sibling: fc.Arbitrary<Sibling> = fc
    .record({
      mark: arbitraryMark,
      value: arbitraryBytes,
      base: fc.option(fc.record({ mark: arbitraryMark, value: arbitraryBytes }), { nil: null, freq: 2 }),
      answers: fc.option(fc.uint8Array({ minLength: 8, maxLength: 8 }), { nil: null, freq: 3 }),
    })
    .map(({ mark, value, base, answers }) =>
      honesty === 'forged'
        ? { mark, value, base, answers }
        : {
            mark,
            value: valueUnder(mark, value, honesty),
            base: baseUnder(mark),
            answers: answersUnder(mark),
          },
    )
  return fc.tuple(fc.array(sibling, { maxLength: 4 }), arbitraryContext).map(([drawn, seen]) => {
    const distinct = new Map(drawn.map(one => [`${one.mark.ms}.${one.mark.tick}.${one.mark.writer}`, one]))
    const siblings = [...distinct.values()].sort((a, b) => compareMarks(a.mark, b.mark))
    const context = contextOf([...siblings.map(one => one.mark), ...seen.values()])
    return { strategy: 'ask', siblings, context }
  })
}

const arbitrarySet: fc.Arbitrary<SetCell> = fc
  .tuple(
    fc.array(
      fc.record({
        value: fc.uint8Array({ maxLength: 1, max: 3 }),
        added: fc.option(arbitraryMark, { nil: null }),
        removed: fc.option(arbitraryMark, { nil: null, freq: 1 }),
      }),
      { maxLength: 4 },
    ),
    arbitraryContext,
  )
  .map(([elements, seen]) => ({
    strategy: 'set',
    elements: new Map(elements.map(element => [keyOfBytes(element.value), element])),
    context: contextOf([
      ...elements.flatMap(({ added }) => (added === null ? [] : [added])),
      ...seen.values(),
    ]),
  }))

/** For each writer the greatest of its marks. */
function contextOf(marks: readonly Mark[]): Context {
  const context = new Map<WriterId, Mark>()
  for (const mark of marks) {
    const held = context.get(mark.writer)
    if (held === undefined || compareMarks(mark, held) > 0) context.set(mark.writer, mark)
  }
  return context
}

/** Of an honest writer a mark decides the value. */
function valueUnder(mark: Mark, drawn: Uint8Array, honesty: Honesty): Uint8Array {
  return honesty === 'forged' ? drawn : new Uint8Array([mark.tick & 1, mark.ms & 1])
}

function baseUnder(mark: Mark): Sibling['base'] {
  if (mark.tick === 0) return null
  return { mark: { ...mark, tick: 0 }, value: valueUnder({ ...mark, tick: 0 }, new Uint8Array(), 'honest') }
}

function answersUnder(mark: Mark): Uint8Array | null {
  return mark.tick === 2 ? new Uint8Array([mark.ms & 0xff, 1, 2, 3, 4, 5, 6, 7]) : null
}
