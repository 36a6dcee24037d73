/**
 * A map of few entries, as two lists: what a row has by the names of its parts. A `Map` of one or five entries takes
 * three times the memory, and every walk over it makes an object for each entry; and rows are alike, so all that came
 * together, and all versions of each, share one list of names.
 */
export class ListedMap<K extends string, V> implements ReadonlyMap<K, V> {
  /** Shared with other maps: another list takes its place when a name is added. */
  names: readonly K[]
  readonly list: V[]

  constructor(names: readonly K[], list: V[]) {
    this.names = names
    this.list = list
  }

  get size(): number {
    return this.list.length
  }

  get(name: K): V | undefined {
    const { names } = this
    for (let i = 0; i < names.length; i++) if (names[i] === name) return this.list[i]
    return undefined
  }

  has(name: K): boolean {
    return this.names.includes(name)
  }

  /** Only for who made it, as long as nobody else has it. */
  set(name: K, value: V): this {
    const { names, list } = this
    for (let i = 0; i < names.length; i++)
      if (names[i] === name) {
        list[i] = value
        return this
      }
    this.names = [...names, name]
    list.push(value)
    return this
  }

  forEach(call: (value: V, name: K, map: ReadonlyMap<K, V>) => void): void {
    const { names, list } = this
    for (let i = 0; i < names.length; i++) call(list[i] as V, names[i] as K, this)
  }

  keys(): MapIterator<K> {
    return this.names.values()
  }

  values(): MapIterator<V> {
    return this.list.values()
  }

  *entries(): MapIterator<[K, V]> {
    for (let i = 0; i < this.names.length; i++) yield [this.names[i] as K, this.list[i] as V]
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries()
  }
}

/** A copy of a map, to be changed. */
export function copyListed<K extends string, V>(map: ReadonlyMap<K, V>): ListedMap<K, V> {
  return new ListedMap(keysOf(map), valuesOf(map).slice())
}

/** The keys of a map. Nothing is made if it is a listed one. */
export function keysOf<K extends string>(map: ReadonlyMap<K, unknown>): readonly K[] {
  return (map as Partial<ListedMap<K, unknown>>).names ?? [...map.keys()]
}

/** The values of a map. Nothing is made if it is a listed one. */
export function valuesOf<V>(map: ReadonlyMap<string, V>): readonly V[] {
  return (map as Partial<ListedMap<string, V>>).list ?? [...map.values()]
}

/** What is chosen of a map, which is the map itself if that is all. */
export function pick<K extends string, V>(
  map: ReadonlyMap<K, V>,
  isChosen: (name: K, value: V) => boolean,
): ReadonlyMap<K, V> {
  const names = keysOf(map)
  const values = valuesOf(map)
  let count = 0
  for (let i = 0; i < names.length; i++) if (isChosen(names[i] as K, values[i] as V)) count += 1
  if (count === names.length) return map
  const chosen = listOf<K>(count)
  const list = listOf<V>(count)
  for (let i = 0, at = 0; at < count; i++) {
    if (!isChosen(names[i] as K, values[i] as V)) continue
    chosen[at] = names[i] as K
    list[at++] = values[i] as V
  }
  return new ListedMap(chosen, list)
}

/** A list of so many, to be filled. One that grows has room for seventeen as soon as there is one in it. */
export function listOf<T>(length: number): T[] {
  // The linter fears that a length is taken for the only element.
  // oxlint-disable-next-line unicorn/no-new-array
  return new Array<T>(length)
}

/** Gives the names of a map as a list that maps share: the one before, if it has the same. */
export function createSharing<K extends string>(): (names: readonly K[]) => readonly K[] {
  let before: readonly K[] = []
  return names => {
    const isSame = names.length === before.length && names.every((name, i) => name === before[i])
    if (!isSame) before = names
    return before
  }
}
