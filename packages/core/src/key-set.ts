/**
 * Sets of keys that are not made: all keys of a map, what is in either of two sets, and what was gathered until somebody
 * looks. What opens may hold hundreds of thousands, and to put each into a set that perhaps nobody looks at keeps a page
 * busy for a tenth of a second.
 */
import type { RowMap } from './row-map.ts'
import type { DocumentKey } from './row.ts'

type Keys = ReadonlySet<DocumentKey>

/** What changed, as it comes, perhaps twice. A class, since one is made for each write, nearly all of which change one row. */
export class GatheredKeys implements Keys {
  private first: DocumentKey | null = null
  private more: DocumentKey[] | null = null
  private made: Set<DocumentKey> | null = null

  add(key: DocumentKey): void {
    if (this.made !== null) this.made.add(key)
    else if (this.first === null) this.first = key
    else if (this.more === null) this.more = [key]
    else this.more.push(key)
  }

  private get all(): Set<DocumentKey> {
    if (this.made !== null) return this.made
    this.made = new Set()
    if (this.first !== null) this.made.add(this.first)
    if (this.more !== null) for (const key of this.more) this.made.add(key)
    return this.made
  }

  has(key: DocumentKey): boolean {
    return this.all.has(key)
  }

  get size(): number {
    if (this.made === null && this.more === null) return this.first === null ? 0 : 1
    return this.all.size
  }

  forEach(call: (key: DocumentKey, same: DocumentKey, keys: Keys) => void): void {
    for (const key of this.all) call(key, key, this)
  }

  keys(): SetIterator<DocumentKey> {
    return this.all.keys()
  }

  values(): SetIterator<DocumentKey> {
    return this.all.values()
  }

  entries(): SetIterator<[DocumentKey, DocumentKey]> {
    return this.all.entries()
  }

  [Symbol.iterator](): SetIterator<DocumentKey> {
    return this.all.values()
  }
}

/** Every key of a map, as of when it is asked. */
export function keysOfRows(rows: RowMap): Keys {
  return viewOf({ has: key => rows.has(key), each: () => rows.keys() })
}

export function unionOfKeys(a: Keys, b: Keys): Keys {
  if (b.size === 0) return a
  if (a.size === 0) return b
  function* each(): Generator<DocumentKey> {
    yield* a
    for (const key of b) if (!a.has(key)) yield key
  }
  return viewOf({ has: key => a.has(key) || b.has(key), each })
}

function viewOf({
  has,
  each,
}: {
  readonly has: (key: DocumentKey) => boolean
  readonly each: () => Iterable<DocumentKey>
}): Keys {
  const all = (): Set<DocumentKey> => new Set(each())
  return {
    has,
    get size() {
      let size = 0
      for (const _ of each()) size += 1
      return size
    },
    [Symbol.iterator]: () => all()[Symbol.iterator](),
    keys: () => all().keys(),
    values: () => all().values(),
    entries: () => all().entries(),
    forEach(call) {
      for (const key of each()) call(key, key, this)
    },
  }
}
