/**
 * Which confirmed rows changed in which chunk, until pages hold what they brought. A list for each chunk, since a cold
 * start changes thousands at once and asks for none of them.
 */
import type { DocumentKey } from '../row.ts'

export interface ChangedKeys {
  note(key: DocumentKey, position: number): void
  /** Those that changed in chunks after a position, each once. */
  after(position: number): readonly DocumentKey[]
  /** Forgets what changed up to a position and not since. */
  drop(upTo: number): void
  clear(): void
}

export function createChangedKeys(): ChangedKeys {
  let chunks: { readonly position: number; readonly keys: DocumentKey[] }[] = []

  return {
    note(key, position) {
      const last = chunks.at(-1)
      if (last?.position === position) last.keys.push(key)
      else chunks.push({ position, keys: [key] })
    },
    after(position) {
      const keys = new Set<DocumentKey>()
      for (const chunk of chunks) if (chunk.position > position) for (const key of chunk.keys) keys.add(key)
      return [...keys]
    },
    drop(upTo) {
      chunks = chunks.filter(({ position }) => position > upTo)
    },
    clear() {
      chunks = []
    },
  }
}
