/**
 * What a relay asked a peer for and has not had: rows whole, and what is missing of bodies (SPEC P4, X6). It stands on
 * the disk with the cursor, and is asked for again in the next session.
 */
import type { TextFrame } from '../frames.ts'
import type { DocumentKey, PartName } from '../row.ts'

export interface PeerWants {
  /** Rows that are asked for, or of which a body is. */
  outstanding(): readonly DocumentKey[]
  isOutstanding(key: DocumentKey): boolean
  /** Rows of which something was outstanding, and nothing is any more, each told once. */
  takeDone(): readonly DocumentKey[]
  /** False if it is asked for already. */
  row(key: DocumentKey): boolean
  rowCame(key: DocumentKey): void
  /** Of a body only the head came. */
  body(key: DocumentKey, part: PartName): void
  textCame(frame: TextFrame): void
}

export function createPeerWants(before: readonly DocumentKey[]): PeerWants {
  const rows = new Set(before)
  /** Of each row's bodies how many heads are to be answered: of two, the first answer may be older than the second head. */
  const heads = new Map<DocumentKey, Map<PartName, number>>()
  const done = new Set<DocumentKey>()

  const isOutstanding = (key: DocumentKey): boolean => rows.has(key) || heads.has(key)

  return {
    outstanding: () => [...new Set([...rows, ...heads.keys()])],
    isOutstanding,
    takeDone() {
      const keys = [...done].filter(key => !isOutstanding(key))
      done.clear()
      return keys
    },
    row(key) {
      if (rows.has(key)) return false
      rows.add(key)
      return true
    },
    rowCame(key) {
      if (rows.delete(key)) done.add(key)
    },
    body(key, part) {
      const ofRow = heads.get(key) ?? new Map<PartName, number>()
      heads.set(key, ofRow.set(part, (ofRow.get(part) ?? 0) + 1))
    },
    textCame({ key, part, more }) {
      const ofRow = heads.get(key)
      const count = ofRow?.get(part)
      if (more || ofRow === undefined || count === undefined) return
      if (count > 1) ofRow.set(part, count - 1)
      else ofRow.delete(part)
      if (ofRow.size > 0) return
      heads.delete(key)
      done.add(key)
    },
  }
}
