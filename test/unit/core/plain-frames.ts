/** Frames of one plain change, and what becomes of bytes that are none. */
import { decodeFrame, documentKey, emptyRow, mintedId, partName, writerFromBytes } from '@rejoin/core'
import type { ChangesFrame, Dictionary, GenerationId, Mark, Row } from '@rejoin/core'

export const alice = writerFromBytes(new Uint8Array([9, 8, 7, 6, 5, 4, 3, 2]))

export const generation = writerFromBytes(new Uint8Array(8).fill(7)) as string as GenerationId

export const title = partName('lww', 'title')

export function markAt(ms: number, writer = alice): Mark {
  return { ms, tick: 0, writer }
}

export function rowOf(value: Uint8Array, ms = 1_764_000_000_000): Row {
  return { ...emptyRow, cells: new Map([[title, { strategy: 'lww', last: markAt(ms), value }]]) }
}

export function live(serial: number, position: number, ms: number): ChangesFrame {
  return {
    type: 'changes',
    rows: [
      {
        key: documentKey('notes', mintedId(alice, serial)),
        delta: rowOf(new Uint8Array([0x25, 104, 101, 108, 108, 111]), ms),
        parts: 6,
        texts: new Map(),
      },
    ],
    place: position,
    head: position,
    cut: {
      generation,
      position,
      frontier: new Map([[generation, position]]),
      generations: [],
      fingerprint: null,
    },
    answer: false,
    writers: [],
  }
}

export function refusalOf(bytes: Uint8Array, dictionary?: Dictionary): string {
  const decoded = decodeFrame(bytes, dictionary)
  return decoded.ok ? 'nothing' : decoded.error.code
}
