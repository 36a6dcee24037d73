/** Conflicts at rest: each tab lists those that its rows hold, with all sides and who wrote them (SPEC K2-K4, T4). */
import type { Conflict } from '@rejoin/client'
import { partName, rowExists, type DocumentKey, type Row } from '@rejoin/core'
import type { Application } from '../application/application.ts'
import { askFields } from '../application/documents.ts'
import type { OpenTab } from '../cluster.ts'
import type { AskField, Logged } from '../log.ts'
import { countedOf, textOf } from '../oracle.ts'

export function checkListed(
  { tabs, log }: Application,
  key: DocumentKey,
  row: Row,
  mayRepeat: boolean,
): string[] {
  if (!rowExists(row)) return []
  return askFields.flatMap(field => {
    const expected = sidesOf(field, row)
    return tabs.flatMap(open => {
      const listed = conflictOf(open, key, field)
      const sides = listed?.sides ?? []
      const shown = sides.map(({ value }) => String(value)).sort()
      const name = `a tab of ${open.device.name}`
      if (shown.join('\n') !== expected.join('\n'))
        return [`[K4] ${name} lists ${shown} of ${key}, and its sides are ${expected}`]
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

function conflictOf({ replica }: OpenTab, key: DocumentKey, field: AskField): Conflict | undefined {
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
