/**
 * The shapes of writes (SPEC Q1): an insert, an update, a deletion or an undelete, and nothing in between. A rule of the
 * application is told which one it is, and looks by that at what there is to look at; what is two of them at once would
 * pass for the one that it lets pass.
 */
import type { Cell } from '../cells/cell.ts'
import { failure, type Failure } from '../errors.ts'
import { keysOf, valuesOf } from '../listed-map.ts'
import { emptyRow, fieldOfPart, type PartName, type Row } from '../row.ts'
import { noTexts, type Write } from '../write.ts'

/** Null for a write such as clients make. */
export function judgeShape({ delta, whole }: Write): Failure | null {
  const { cells, deletion, revival } = delta
  if (deletion !== null && (whole || revival !== null || cells.size > 0))
    return misshapen('a deletion brings nothing else')
  if (whole && revival === null) return misshapen('what stands by itself is an insert, and brings a revival')
  if (!whole && revival !== null && cells.size > 0) return misshapen('an undelete brings nothing else')
  return hasFieldTwice(cells) ? misshapen('a write brings a field under one strategy') : null
}

/** Where names are told together a control character parts them, so none may have one. */
export function judgeNames({ key, delta, texts }: Pick<Write, 'key' | 'delta' | 'texts'>): Failure | null {
  const hasNoId = key.indexOf('/') === key.length - 1
  if (isForbiddenName(key) || hasNoId) return failure('key-forbidden', { key })
  const names = keysOf(delta.cells)
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as PartName
    if (isForbiddenName(name)) return failure('key-forbidden', { key: name })
  }
  if (texts.size > 0)
    for (const name of texts.keys()) if (isForbiddenName(name)) return failure('key-forbidden', { key: name })
  return null
}

function isForbiddenName(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    if (code < 0x20 || (code > 0x7e && code < 0xa0)) return true
  }
  return false
}

function misshapen(reason: string): Failure {
  return failure('not-permitted', { reason })
}

/** T2: the writes that make a row which is given back, for the rule, which is asked of each. */
export function writesOfGiven(given: Write): readonly Write[] {
  const { cells, deletion, revival } = given.delta
  const writes: Write[] = []
  if (cells.size > 0 || revival !== null || deletion === null)
    for (const layer of layersOf(cells))
      writes.push({ ...given, delta: { cells: layer, deletion: null, revival } })
  if (deletion !== null)
    writes.push({ ...given, delta: { ...emptyRow, deletion }, texts: noTexts, whole: false })
  return writes
}

/** Of a document whose field was declared anew, with another strategy, the row has a cell of each. */
function hasFieldTwice(cells: Row['cells']): boolean {
  if (cells.size < 2 || haveOneStrategy(cells)) return false
  const fields = new Set<string>()
  for (const name of cells.keys()) fields.add(fieldOfPart(name))
  return fields.size < cells.size
}

/** Then no two are of one field, as in most documents: nothing is made to find that out. */
function haveOneStrategy(cells: Row['cells']): boolean {
  let only: Cell['strategy'] | null = null
  const all = valuesOf(cells)
  for (let i = 0; i < all.length; i++) {
    const { strategy } = all[i] as Cell
    if (only !== null && strategy !== only) return false
    only = strategy
  }
  return true
}

/** Cells such that each has a field once. */
function layersOf(cells: Row['cells']): readonly Row['cells'][] {
  if (!hasFieldTwice(cells)) return [cells]
  const layers: Map<PartName, Cell>[] = []
  for (const [name, cell] of cells) {
    const field = fieldOfPart(name)
    const free = layers.find(layer => [...layer.keys()].every(other => fieldOfPart(other) !== field))
    if (free === undefined) layers.push(new Map([[name, cell]]))
    else free.set(name, cell)
  }
  return layers
}
