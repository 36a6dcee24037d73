/** Copies of records and messages, for storage and channels in memory. */

/** A copy that shares nothing, as `structuredClone` makes it, which is far slower where a record is plain. */
export function copyRecord<T>(value: T): T
export function copyRecord(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return isPrimitive(value) ? value : structuredClone(value)
  if (Array.isArray(value)) return value.map(held => copyRecord(held))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Uint8Array.prototype) return (value as Uint8Array).slice()
  if (prototype !== Object.prototype) return structuredClone(value)
  return Object.fromEntries(Object.entries(value).map(([name, held]) => [name, copyRecord(held)]))
}

function isPrimitive(value: unknown): boolean {
  return typeof value !== 'function' && typeof value !== 'symbol'
}
