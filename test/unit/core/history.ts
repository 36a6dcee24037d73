/**
 * Histories of one document, and an oracle that knows only the log: who wrote what, and having seen which writes.
 * It is slow and obviously right: no context, no join, nothing but "had seen".
 */
import { compareMarks, earliestStamp, emptyRow, joinRows, lastOfRow, stampWrite } from '@rejoin/core'
import type { DeletePolicy, Mark, PartName, Row, Stamp } from '@rejoin/core'
import fc from 'fast-check'
import {
  body,
  color,
  deltaOf,
  people,
  tags,
  title,
  viewed,
  votes,
  writerOf,
  type Edit,
  type Person,
} from './edits.ts'

export interface Logged {
  readonly person: Person
  readonly edit: Edit
  readonly mark: Mark
  /** Writes that its writer had seen. */
  readonly saw: ReadonlySet<Logged>
  readonly delta: Row
}

export type Log = readonly Logged[]

export type Step =
  | { readonly kind: 'edit'; readonly person: Person; readonly edit: Edit; readonly wait: number }
  | { readonly kind: 'hear'; readonly person: Person; readonly from: Person }

/** How far each person's device is off. */
export type Drifts = Readonly<Record<Person, number>>

const values = ['red', 'teal', 'blue'] as const
export const elements = ['x', 'y'] as const

export function arbitraryEdit(policies: readonly DeletePolicy[]): fc.Arbitrary<Edit> {
  const value = fc.constantFrom(...values)
  const element = fc.constantFrom(...elements)
  return fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('color', 'view', 'title'), value }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('add', 'remove'), element }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('vote'), by: fc.integer({ min: -2, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('type') }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('insert'), value, element }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('delete'), policy: fc.constantFrom(...policies) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('revive') }) },
  ) as fc.Arbitrary<Edit>
}

const person = fc.constantFrom(...people)

export function arbitraryLog(policies: readonly DeletePolicy[]): fc.Arbitrary<Log> {
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('edit'),
        person,
        edit: arbitraryEdit(policies),
        wait: fc.integer({ min: 0, max: 2 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('hear'), person, from: person }) },
  )
  const drift = fc.integer({ min: -3, max: 3 })
  return fc
    .tuple(
      fc.array(step, { maxLength: 24, size: 'max' }),
      fc.record({ alice: drift, bob: drift, carol: drift }),
    )
    .map(([steps, drifts]) => runHistory(steps, drifts))
}

/** Plays a history: people edit what they see, and hear of everything that another one has seen. */
export function runHistory(steps: readonly Step[], drifts: Drifts): Log {
  const log: Logged[] = []
  const views = new Map(people.map(one => [one, new Set<Logged>()]))
  const clocks = new Map<Person, Stamp>()
  let now = 1000
  for (const step of steps) {
    const view = views.get(step.person) ?? new Set()
    if (step.kind === 'hear') {
      for (const logged of views.get(step.from) ?? []) view.add(logged)
      continue
    }
    now += step.wait
    const seen = joinAll([...view].map(logged => logged.delta))
    const { stamp, clock } = stampWrite(
      clocks.get(step.person) ?? earliestStamp,
      now + drifts[step.person],
      lastOfRow(seen),
    )
    clocks.set(step.person, clock)
    const mark: Mark = { ms: stamp.ms, tick: stamp.tick, writer: writerOf(step.person) }
    const logged = {
      person: step.person,
      edit: step.edit,
      mark,
      saw: new Set(view),
      delta: deltaOf(step.edit, seen, mark),
    }
    log.push(logged)
    view.add(logged)
  }
  return log
}

export function joinAll(deltas: readonly Row[]): Row {
  return deltas.reduce(joinRows, emptyRow)
}

// ---------------------------------------------------------------- the oracle

const partsByKind: Readonly<Record<Edit['kind'], readonly PartName[]>> = {
  color: [color],
  view: [viewed],
  title: [title],
  add: [tags],
  remove: [tags],
  vote: [votes],
  type: [body],
  insert: [color, title, tags],
  delete: [],
  revive: [],
}

/** The writes of a log that wrote a field. */
export function writesTo(log: Iterable<Logged>, part: PartName): Log {
  return [...log].filter(({ edit }) => partsByKind[edit.kind].includes(part))
}

export function greatest(log: Iterable<Logged>): Logged | undefined {
  return [...log].sort((a, b) => compareMarks(a.mark, b.mark)).at(-1)
}

/** The value that stands in a field of `lww`. */
export function expectedValue(log: Log, part: PartName): string | undefined {
  const winner = greatest(writesTo(log, part))
  return winner !== undefined && 'value' in winner.edit ? winner.edit.value : undefined
}

/** K1: the writes that no other write to the field had seen, smallest mark first. */
export function expectedSiblings(log: Log): Log {
  const writes = writesTo(log, title)
  const standing = writes.filter(write => !writes.some(other => other.saw.has(write)))
  return standing.sort((a, b) => compareMarks(a.mark, b.mark))
}

/** An element is in unless a remover had seen its greatest add, or a greater one. */
export function expectedElements(log: Log): readonly string[] {
  const addsOf = (among: Iterable<Logged>, element: string): Log =>
    [...among].filter(
      ({ edit }) => (edit.kind === 'add' || edit.kind === 'insert') && edit.element === element,
    )
  return elements.filter(element => {
    const added = greatest(addsOf(log, element))
    if (added === undefined) return false
    return !log.some(({ edit, saw }) => {
      const removes = (edit.kind === 'remove' && edit.element === element) || edit.kind === 'insert'
      const removed = removes ? greatest(addsOf(saw, element)) : undefined
      return removed !== undefined && compareMarks(removed.mark, added.mark) >= 0
    })
  })
}

export function expectedSum(log: Log): number {
  return log.reduce((sum, { edit }) => sum + (edit.kind === 'vote' ? edit.by : 0), 0)
}

/** Whether readers see the document; `disputed`: a person must say. */
export function expectedStanding(log: Log): 'exists' | 'disputed' | 'gone' {
  if (log.length === 0) return 'gone'
  const deletions = log.filter(({ edit }) => edit.kind === 'delete')
  const deletion = greatest(deletions)
  if (deletion === undefined || deletion.edit.kind !== 'delete') return 'exists'
  const revival = greatest(log.filter(({ edit }) => edit.kind === 'insert' || edit.kind === 'revive'))
  if (revival !== undefined && compareMarks(revival.mark, deletion.mark) > 0) return 'exists'
  if (deletion.edit.policy === 'delete-wins') return 'gone'
  const wasSeen = (write: Logged): boolean => deletions.some(({ saw }) => saw.has(write))
  const isUnseen = [title, tags, votes, body].some(part => writesTo(log, part).some(write => !wasSeen(write)))
  return isUnseen || isColorUnseen(log, deletions)
    ? deletion.edit.policy === 'ask'
      ? 'disputed'
      : 'exists'
    : 'gone'
}

/** Of a field of `lww` only the write that stands can be unseen, and one greater than it cannot have been seen. */
function isColorUnseen(log: Log, deletions: Log): boolean {
  const winner = greatest(writesTo(log, color))
  if (winner === undefined) return false
  return !deletions.some(({ saw }) => saw.has(winner))
}
