/**
 * The oracle: what each document must hold at rest, computed from the log alone. A write is in if its token is; one
 * write came after another if its author had been shown the other's token. Where that does not decide, any answer is
 * taken.
 */
import {
  decodeValue,
  isInSet,
  isSameBytes,
  partName,
  rowExists,
  seenCovers,
  sumOfCounter,
  type DocumentKey,
  type Row,
  type Sibling,
} from '@rejoin/core'
import { isInsertion } from './application/effects.ts'
import { nameOf, type AskField, type Effect, type Logged } from './log.ts'
import { joinSides } from './schema.ts'

export interface OracleOptions {
  /** Whether every device's clock was right all the time, so that later is later. */
  readonly clocksAreRight: boolean
  /** Whether a disk was copied or put back, so that one write may have been made anew at two places. */
  readonly mayRepeat: boolean
  /** Whether that is known of a write of this document: who saw the one copy has not seen the other (SPEC W6). */
  readonly standsTwice: boolean
  /** When an older image took the place of the last relay that had everything until then; of a deletion that left no token it is not known whether somebody else knew it. */
  readonly lostAt: number
  /** Whether a row may be here ahead of its bodies, of which who deletes it then has not seen anything (SPEC X3). */
  readonly bodiesComeLater: boolean
  /** How often a write of this document was made anew. */
  readonly timesMadeAnew: (name: string) => number
}

export function checkDocument(
  key: DocumentKey,
  row: Row,
  log: readonly Logged[],
  options: OracleOptions,
): readonly string[] {
  const about = log.filter(entry => entry.key === key)
  const present = tokensOfRow(row)
  const isIn = ({ token, relay, at }: Logged): boolean =>
    token === '' ? relay && at > options.lostAt : present.has(token)
  const facts: Facts = {
    key,
    row,
    options,
    writes: about.filter(entry => entry.kind === 'log' && isIn(entry)),
    hasBlind: about.some(entry => entry.blind),
    passive: about.filter(entry => entry.kind === 'passive'),
    perhaps: about.filter(
      entry =>
        (entry.kind === 'log' && isIn(entry)) ||
        entry.kind === 'text' ||
        (entry.kind === 'log' && entry.token === '' && entry.refused === null),
    ),
  }
  return [
    ...(['title', 'place', 'mood'] as const).flatMap(field => checkAsked(field, facts)),
    ...checkSeen(facts),
    ...checkColor(facts),
    ...checkTags(facts),
    ...checkViews(facts),
    ...checkExists(facts),
  ]
}

interface Facts {
  readonly key: DocumentKey
  readonly row: Row
  readonly options: OracleOptions
  /** Writes that are in. */
  readonly writes: readonly Logged[]
  /** Whether some author may have seen more than was shown, be its write in or not: another one may have stood on it. */
  readonly hasBlind: boolean
  /** Writes of the passive field, which may be in. */
  readonly passive: readonly Logged[]
  /** Those that are in, and what may be. */
  readonly perhaps: readonly Logged[]
}

type EffectOf<Field> = Extract<Effect, { readonly field: Field }>
interface Did<Field> {
  readonly entry: Logged
  readonly effect: EffectOf<Field>
}

function didTo<Field extends Effect['field']>(
  field: Field,
  entries: readonly Logged[],
): readonly Did<Field>[] {
  return entries.flatMap(entry =>
    entry.effects.flatMap(effect =>
      effect.field === field ? [{ entry, effect: effect as EffectOf<Field> }] : [],
    ),
  )
}

const sawIt = (later: Logged, earlier: Logged): boolean =>
  earlier.token !== '' && later.saw.has(earlier.token)

/** K1: a value goes by a write that had seen it, and by no other; and then it stays away. K4: two decisions of one conflict count once. */
function checkAsked(field: AskField, { key, row, writes, hasBlind, options }: Facts): string[] {
  const cell = row.cells.get(partName('ask', field))
  if (cell?.strategy !== 'ask') return []
  const found: string[] = []
  const standing = new Set(cell.siblings.map(({ value }) => textOf(value)))
  const values = didTo(field, writes)
  for (const { entry, effect } of values) {
    const alike = values.filter(other => other.effect.value === effect.value)
    const by = values.filter(other => other.entry !== entry && sawIt(other.entry, entry))
    const isDecided = values.some(
      other =>
        other.entry !== entry && other.effect.decides !== null && other.effect.decides === effect.decides,
    )
    if (!standing.has(effect.value) && by.length === 0 && !hasBlind && !isDecided)
      found.push(`[K1] ${effect.value} of ${key} is gone, and nobody who replaced it had seen it`)
    // Of two copies of one write one may have been made anew, and seen, and the other not (W6).
    if (
      standing.has(effect.value) &&
      alike.length === 1 &&
      by.length > 0 &&
      !entry.blind &&
      !options.mayRepeat
    )
      found.push(`[K1] ${effect.value} of ${key} is back, though ${by[0]?.entry.token} had replaced it`)
  }
  for (const value of standing)
    if (!values.some(({ effect }) => effect.value === value)) found.push(`${value} of ${key} is from nowhere`)
  return found
}

/** C2: clocks that are right stay so, whatever a way takes; marks tell whole milliseconds. */
const tickMs = 1

/** W4: what a person saw and changed does not win over what they wrote; W6: what is made anew keeps its time. */
function checkColor({ key, row, writes, options }: Facts): string[] {
  const cell = row.cells.get(partName('lww', 'color'))
  if (cell?.strategy !== 'lww') return []
  const value = textOf(cell.value)
  const colors = didTo('color', writes)
  const shown = colors.find(({ effect }) => effect.value === value)?.entry
  if (shown === undefined) return [`${value} of ${key} is from nowhere`]
  if (shown.blind) return []
  const over = colors.find(({ entry }) => !entry.blind && sawIt(entry, shown))?.entry
  // Of two copies of one write one may have been made anew after the other was seen (W6).
  if (over !== undefined && !options.mayRepeat)
    return [`[W4] ${shown.token} gives ${key} its color, though ${over.token} had seen and changed it`]
  const later = colors.find(({ entry }) => !entry.blind && entry.at > shown.at + tickMs)?.entry
  if (options.clocksAreRight && later !== undefined)
    return [`[W6] ${shown.token} gives ${key} its color, though ${later.token} was written later`]
  return []
}

/** A passive value is somebody's, and of each of its writers the last. */
function checkSeen({ key, row, passive, writes }: Facts): string[] {
  const cell = row.cells.get(partName('lww', 'seen'))
  if (cell?.strategy !== 'lww') return []
  const value = textOf(cell.value)
  // An insert over a deletion writes every field, also those that it was not given (W5).
  if (value === 'undefined' && writes.some(entry => entry.blind)) return []
  const shown = didTo('seen', passive).find(({ effect }) => effect.value === value)?.entry
  if (shown === undefined) return [`${value} of ${key} is from nowhere`]
  const later = passive.find(({ at, tab, relay }) => relay && tab === shown.tab && at > shown.at)
  return later === undefined ? [] : [`[W3] ${key} shows ${value}, though its writer wrote another one later`]
}

/** An element is in if its last adder had seen all removals, and out if a remover had seen every add. */
function checkTags({ key, row, writes, options }: Facts): string[] {
  const cell = row.cells.get(partName('set', 'tags'))
  if (cell?.strategy !== 'set') return []
  const found: string[] = []
  const tags = didTo('tags', writes)
  // An insert over a deletion empties the set.
  if (writes.some(entry => entry.blind)) return []
  const inside = new Set([...cell.elements.values()].filter(isInSet).map(({ value }) => textOf(value)))
  for (const element of new Set(tags.map(({ effect }) => effect.element))) {
    const adds = tags.filter(({ effect }) => effect.element === element && effect.how === 'add')
    const removals = tags.filter(({ effect }) => effect.element === element && effect.how === 'remove')
    const mustBeIn = adds.some(add => removals.every(removal => sawIt(add.entry, removal.entry)))
    const mustBeOut = adds.every(add => removals.some(removal => sawIt(removal.entry, add.entry)))
    if (mustBeIn && !inside.has(element)) found.push(`the tag ${element} of ${key} is lost`)
    // W6: of an add that was made anew at two places a remover may have seen the one and not the other.
    if (mustBeOut && inside.has(element) && !options.mayRepeat)
      found.push(`the tag ${element} of ${key} is back`)
  }
  return found
}

/** Each call counts once, however often its write was made anew. */
function checkViews({ key, row, writes, options }: Facts): string[] {
  const cell = row.cells.get(partName('counter', 'views'))
  if (cell?.strategy !== 'counter') return []
  const views = didTo('views', writes)
  const isRepeated = options.mayRepeat || writes.some(entry => entry.discarded)
  const sum = views.reduce((total, { effect }) => total + effect.amount, 0)
  const counted = sumOfCounter(cell)
  return counted === sum || isRepeated ? [] : [`${key} counts ${counted} views, and there were ${sum}`]
}

/** W5, X3: it empties the text once that is loaded, and nobody is shown that. */
function isOverDeletion({ blind, effects }: Logged): boolean {
  return blind && effects.some(isInsertion)
}

/** Whether texts are all that a deletion had not seen. */
function leavesTextsAlone({ deletion, cells }: Row): boolean {
  if (deletion === null) return false
  return [...cells].every(
    ([part, cell]) => cell.strategy === 'text' || seenCovers(deletion.seen.get(part), cell),
  )
}

/** Deleted documents stay deleted, and others are not lost, as the policy of their collection says. */
function checkExists({ key, row, writes, passive, perhaps, options }: Facts): string[] {
  const exists = rowExists(row)
  const isDelete = (entry: Logged): boolean =>
    entry.effects.some(effect => effect.field === 'document' && effect.how === 'delete')
  const isRevival = (entry: Logged): boolean =>
    entry.effects.some(effect => effect.field === 'document' && effect.how !== 'delete')
  const deletions = writes.filter(isDelete)
  const others = perhaps.filter(entry => !isDelete(entry))
  const mustYield = key.startsWith('drafts/') ? others.filter(isRevival) : others
  /** A version that does not know the passive field does not delete it. */
  const keepersFrom = ({ tab }: Logged): readonly Logged[] =>
    tab.isNarrow && !key.startsWith('drafts/') ? [...mustYield, ...passive] : mustYield
  // What was sent again came after all that had seen it before.
  const isUnder = (deletion: Logged, entry: Logged): boolean =>
    entry === deletion || (sawIt(deletion, entry) && !entry.discarded)
  const last = deletions.find(
    deletion => !deletion.blind && keepersFrom(deletion).every(entry => isUnder(deletion, entry)),
  )
  const isUnseenText = (options.bodiesComeLater || writes.some(isOverDeletion)) && leavesTextsAlone(row)
  // W6: a copy of a disk makes anew for itself what was made anew before, and who deleted the one has not seen the other.
  const isMadeTwice = options.mayRepeat && mustYield.some(entry => options.timesMadeAnew(nameOf(entry)) > 1)
  if (exists && last !== undefined && !options.standsTwice && !isUnseenText && !isMadeTwice)
    return [`[V9] ${key} is there, though ${last.token} deleted all of it`]
  if (exists || key.startsWith('drafts/') || perhaps.some(entry => entry.blind)) return []
  const unseen = writes.find(
    entry => !isDelete(entry) && !perhaps.some(one => isDelete(one) && sawIt(one, entry)),
  )
  return unseen === undefined ? [] : [`${key} is gone, though nobody who deleted it had seen ${unseen.token}`]
}

/** Those that were added, be they removed since: who empties a log may have seen in it what was refused later. */
export function tokensOfRow(row: Row | undefined): ReadonlySet<string> {
  if (row === undefined) return noTokens
  let tokens = tokensByRow.get(row)
  if (tokens === undefined) {
    const cell = row.cells.get(partName('set', 'log'))
    const elements = cell?.strategy === 'set' ? [...cell.elements.values()] : []
    tokens = new Set(elements.flatMap(({ added, value }) => (added === null ? [] : textOf(value))))
    tokensByRow.set(row, tokens)
  }
  return tokens
}

const noTokens: ReadonlySet<string> = new Set()
// A row never changes, and is looked at again and again.
const tokensByRow = new WeakMap<Row, ReadonlySet<string>>()

export function textOf(value: Uint8Array): string {
  const decoded = decodeValue(value)
  return decoded.ok ? String(decoded.value) : ''
}

/** K2, K5: what everybody reads of a field while there are several values. */
export function shownOf(field: AskField, row: Row): string | null {
  const cell = row.cells.get(partName('ask', field))
  if (cell?.strategy !== 'ask') return null
  const values = countedOf(cell.siblings).map(({ value }) => textOf(value))
  const greatest = values.at(-1)
  if (greatest === undefined) return null
  return field === 'place' && new Set(values).size > 1 ? joinSides(values) : greatest
}

/** K4: of several decisions of one conflict the greatest counts. */
export function countedOf(siblings: readonly Sibling[]): readonly Sibling[] {
  return siblings.filter(
    ({ answers }, i) =>
      answers === null || !siblings.slice(i + 1).some(later => isSame(later.answers, answers)),
  )
}

function isSame(a: Uint8Array | null, b: Uint8Array): boolean {
  return a !== null && isSameBytes(a, b)
}
