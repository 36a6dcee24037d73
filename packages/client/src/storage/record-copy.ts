/** Copies of records and messages, for storage and channels in memory. */

/** A copy that shares nothing, as `structuredClone` makes it, which is far slower where a record is plain. */
export function copyRecord<T>(value: T): T
export function copyRecord(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return isPrimitive(value) ? value : structuredClone(value)
  if (Array.isArray(value)) return value.map(held => copyRecord(held))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (numbers.has(prototype)) return (value as Uint8Array).slice()
  if (prototype === Map.prototype) return copyMap(value as ReadonlyMap<unknown, unknown>)
  if (prototype !== Object.prototype) return structuredClone(value)
  const record = value as Readonly<Record<string, unknown>>
  const copy: Record<string, unknown> = {}
  // Over plain objects alone, which inherit nothing that is listed; to make lists of entries costs more than the copy.
  for (const name in record) copy[name] = copyRecord(record[name])
  return copy
}

const numbers: ReadonlySet<unknown> = new Set(
  [Uint8Array, Uint32Array, Float64Array].map(({ prototype }) => prototype),
)

function copyMap(map: ReadonlyMap<unknown, unknown>): ReadonlyMap<unknown, unknown> {
  const copy = new Map<unknown, unknown>()
  for (const [key, held] of map) copy.set(copyRecord(key), copyRecord(held))
  return copy
}

function isPrimitive(value: unknown): boolean {
  return typeof value !== 'function' && typeof value !== 'symbol'
}
