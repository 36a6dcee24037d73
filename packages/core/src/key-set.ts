/**
 * Sets of keys that are not made: all keys of a map, what is in any of several sets, and what was gathered until somebody
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
    return this.made === null && this.more === null ? this.first === key : this.all.has(key)
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

/** What is in the first, of which there may be the most, or in any of the others. */
export function unionOfKeys(first: Keys, others: readonly Keys[]): Keys {
  function* each(): Generator<DocumentKey> {
    yield* first
    const told = new Set<DocumentKey>()
    for (const keys of others) {
      for (const key of keys) {
        if (first.has(key) || told.has(key)) continue
        told.add(key)
        yield key
      }
    }
  }
  return viewOf({ has: key => first.has(key) || others.some(keys => keys.has(key)), each })
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
