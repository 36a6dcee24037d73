/**
 * Values as documents show them: what the core's value codec knows, which is primitives, bytes, dates, lists and plain
 * objects. A document whose row was joined anew but shows the same stays the same object, and nobody can change it.
 */

/** Whether two values are alike, all the way down. */
export function isSameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) return Array.isArray(b) && isSameList(a, b)
  if (a instanceof Uint8Array) return b instanceof Uint8Array && isSameList(a, b)
  const time = timeOf(a)
  if (time !== null) return time === timeOf(b)
  if (Array.isArray(b) || b instanceof Uint8Array) return false
  const entries = Object.entries(a)
  const others = new Map(Object.entries(b))
  return (
    entries.length === others.size &&
    entries.every(([key, value]) => others.has(key) && isSameValue(value, others.get(key)))
  )
}

function isSameList(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!isSameValue(a[i], b[i])) return false
  return true
}

/** Milliseconds of a date, or null. The class itself is a clock, which only a runtime may touch. */
export function timeOf(value: unknown): number | null {
  const isDate = Object.prototype.toString.call(value) === '[object Date]'
  return isDate ? (value as { getTime(): number }).getTime() : null
}

/** Makes lists, plain objects and dates unchangeable, all the way down. Bytes cannot be. */
export function freezeValue(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  if (ArrayBuffer.isView(value)) return
  if (timeOf(value) !== null)
    Object.setPrototypeOf(value, unchangeable(Object.getPrototypeOf(value) as object))
  Object.freeze(value)
  for (const part of Object.values(value)) freezeValue(part)
}

let frozenDates: object | null = null

/** The prototype of dates with setters that throw: what they set is within, where freezing does not reach. */
function unchangeable(dates: object): object {
  if (frozenDates !== null) return frozenDates
  frozenDates = Object.create(dates) as object
  for (const name of Object.getOwnPropertyNames(dates))
    if (name.startsWith('set')) Object.defineProperty(frozenDates, name, { value: refuseToChange })
  return frozenDates
}

function refuseToChange(): never {
  throw new TypeError('what a document shows cannot be changed: set a copy of the date, and write that')
}
