/**
 * Sets of keys that are not made: all keys of a map, and what is in either of two sets. What opens may hold hundreds of
 * thousands, and to put each into a set that perhaps nobody looks at keeps a page busy for a tenth of a second.
 */
import type { RowMap } from './row-map.ts'
import type { DocumentKey } from './row.ts'

type Keys = ReadonlySet<DocumentKey>

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
