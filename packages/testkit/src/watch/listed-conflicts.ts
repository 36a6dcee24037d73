/** Conflicts at rest: each tab lists those that its rows hold, with all sides and who wrote them (SPEC K2-K4, T4). */
import type { Conflict } from '@rejoin/client'
import {
  isDeletionDisputed,
  partName,
  rowExists,
  type DocumentKey,
  type Row,
  type WriterId,
} from '@rejoin/core'
import type { Application } from '../application/application.ts'
import { askFields } from '../application/documents.ts'
import type { OpenTab } from '../cluster.ts'
import type { AskField, Logged } from '../log.ts'
import { countedOf, textOf } from '../oracle.ts'

export interface ListedOptions {
  readonly mayRepeat: boolean
  /** Writers of whom each relay can tell who they are, and could when it told what they wrote. */
  readonly known: ReadonlySet<WriterId>
}

export function checkListed(
  application: Application,
  key: DocumentKey,
  row: Row,
  options: ListedOptions,
): string[] {
  return rowExists(row)
    ? [...checkFields(application, key, row, options), ...checkDispute(application, key, row, options)]
    : []
}

/** A disputed deletion is listed where somebody declares the document's collection, and says who disputes. */
function checkDispute({ tabs }: Application, key: DocumentKey, row: Row, options: ListedOptions): string[] {
  return tabs.flatMap(open => {
    const listed = conflictOf(open, key, null)
    const name = `a tab of ${open.device.name}`
    if ((listed !== undefined) !== isDeletionDisputed(row))
      return [`[K3] ${name} lists ${listed === undefined ? 'no' : 'a'} dispute of ${key}`]
    return listed === undefined ? [] : strangersIn(listed, name, options)
  })
}

function checkFields(
  { tabs, log }: Application,
  key: DocumentKey,
  row: Row,
  { mayRepeat, known }: ListedOptions,
): string[] {
  return askFields.flatMap(field => {
    const expected = sidesOf(field, row)
    return tabs.flatMap(open => {
      const listed = conflictOf(open, key, field)
      const sides = listed?.sides ?? []
      const shown = sides.map(({ value }) => String(value)).sort()
      const name = `a tab of ${open.device.name}`
      if (shown.join('\n') !== expected.join('\n'))
        return [`[K4] ${name} lists ${shown} of ${key}, and its sides are ${expected}`]
      const strangers = listed === undefined ? [] : strangersIn(listed, name, { mayRepeat, known })
      if (strangers.length > 0) return strangers
      // Of copies of one write each bears the name of the device that sent it.
      if (mayRepeat) return []
      return sides.flatMap(({ value, who, device }) => {
        const authors = log.filter(entry => entry.key === key && isValue(entry, field, String(value)))
        if (who === null || authors.some(one => one.device.user === who && one.device.name === device))
          return []
        return [`[T4] ${name} says that ${who} wrote ${String(value)} of ${key} on ${device}`]
      })
    })
  })
}

/** T4: clients ask where they show who wrote. */
function strangersIn({ key, sides }: Conflict, name: string, { known }: ListedOptions): string[] {
  return sides.flatMap(({ who, writer }) =>
    who === null && known.has(writer) ? [`[T4] ${name} does not say who ${writer} is, in ${key.trim()}`] : [],
  )
}

function conflictOf({ replica }: OpenTab, key: DocumentKey, field: AskField | null): Conflict | undefined {
  return (replica.conflicts.get() as readonly Conflict[]).find(
    conflict => `${conflict.collection}/${conflict.id}` === key && conflict.field === field,
  )
}

/** Distinct values that a person has to choose between; none where there is one. */
function sidesOf(field: AskField, row: Row): readonly string[] {
  const cell = row.cells.get(partName('ask', field))
  if (cell?.strategy !== 'ask') return []
  // Of `mood` two decisions of one conflict are another one.
  const siblings = field === 'mood' ? cell.siblings : countedOf(cell.siblings)
  const values = [...new Set(siblings.map(({ value }) => textOf(value)))].sort()
  return values.length > 1 ? values : []
}

function isValue({ effects }: Logged, field: AskField, value: string): boolean {
  return effects.some(effect => effect.field === field && effect.value === value)
}
