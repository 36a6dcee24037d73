/**
 * Marks: when and by whom a write was made, in one total order.
 *
 * A mark is a hybrid logical clock's stamp (milliseconds, tick) and the writer that made it. "Greater"
 * always means the order of `compareMarks`: by milliseconds, then tick, then writer. A writer is drawn for
 * one opening of a replica and never used again after it, so a mark cannot repeat (SPEC W3).
 */

/** Eight random bytes as eleven characters whose order as a string is the order of the bytes. */
export type WriterId = string & { readonly brand: 'WriterId' }

export interface Mark {
  /** Milliseconds since the epoch, a whole number below 2^48. */
  readonly ms: number
  /** Orders writes of one millisecond; below 2^16. */
  readonly tick: number
  readonly writer: WriterId
}

/** The first millisecond that a mark cannot express. */
export const msLimit: number = 2 ** 48
/** The first tick that a mark cannot express; a clock that reaches it carries into the milliseconds (SPEC C1). */
export const tickLimit: number = 2 ** 16

/** Negative if `a` is smaller, positive if it is greater, 0 if they are the same mark. */
export function compareMarks(a: Mark, b: Mark): number {
  if (a.ms !== b.ms) return a.ms - b.ms
  if (a.tick !== b.tick) return a.tick - b.tick
  return a.writer === b.writer ? 0 : a.writer < b.writer ? -1 : 1
}

export function isSameMark(a: Mark | null, b: Mark | null): boolean {
  if (a === null || b === null) return a === b
  return a.ms === b.ms && a.tick === b.tick && a.writer === b.writer
}

/** The greater of two marks, where null stands for "none"; returns `a` itself when `b` is not greater. */
export function greaterMark(a: Mark, b: Mark | null): Mark
export function greaterMark(a: Mark | null, b: Mark | null): Mark | null
export function greaterMark(a: Mark | null, b: Mark | null): Mark | null {
  if (a === null) return b
  if (b === null) return a
  return compareMarks(b, a) > 0 ? b : a
}

/** A text form for logs and map keys: unique for each mark, not ordered. */
export function formatMark(mark: Mark): string {
  return `${mark.ms}.${mark.tick}.${mark.writer}`
}

// Base 64 over an alphabet in the order of character codes, so that texts sort as their bytes do.
const alphabet = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz'
const valueByCode: Int8Array = new Int8Array(128).fill(-1)
for (let i = 0; i < alphabet.length; i++) valueByCode[alphabet.charCodeAt(i)] = i

/** A writer from eight random bytes. */
export function writerFromBytes(bytes: Uint8Array): WriterId {
  let text = ''
  for (let bit = 0; bit < 64; bit += 6) {
    const at = bit >> 3
    const pair = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
    text += alphabet[(pair >> (10 - (bit & 7))) & 63]
  }
  return text as WriterId
}

/** The eight bytes of a writer. */
export function bytesOfWriter(writer: WriterId): Uint8Array {
  const bytes = new Uint8Array(8)
  let held = 0
  let bits = 0
  let at = 0
  for (let i = 0; i < writer.length && at < 8; i++) {
    held = ((held << 6) | (valueByCode[writer.charCodeAt(i)] ?? 0)) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = (held >> bits) & 0xff
    }
  }
  return bytes
}

/** Whether a text from outside is a writer in its one canonical form. */
export function isWriterId(text: string): text is WriterId {
  if (text.length !== 11) return false
  let value = 0
  for (let i = 0; i < 11; i++) {
    value = valueByCode[text.charCodeAt(i)] ?? -1
    if (value < 0) return false
  }
  // Eleven characters hold 66 bits, of which the last two are not used.
  return (value & 3) === 0
}

/** The Yjs client id of what this writer types: the low 32 bits of the writer (SPEC X7). */
export function yjsClientOf(writer: WriterId): number {
  const bytes = bytesOfWriter(writer)
  return new DataView(bytes.buffer).getUint32(4)
}

/** Whether two writers have one Yjs client id. Nearly all are told apart by their last characters. */
export function haveOneYjsClient(a: WriterId, b: WriterId): boolean {
  for (let i = 10; i > 5; i--) if (a.charCodeAt(i) !== b.charCodeAt(i)) return false
  return yjsClientOf(a) === yjsClientOf(b)
}
