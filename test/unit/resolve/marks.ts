/** Writers and marks for tests: `alice` at 3 is written as `mark('alice', 3)`. */
import { writerFromBytes, type Mark, type WriterId } from '@rejoin/core'

export type Person = 'alice' | 'bob' | 'carol'

export function writerOf(person: Person): WriterId {
  return writerFromBytes(new TextEncoder().encode(person.padEnd(8, '.')))
}

export function mark(person: Person, ms: number): Mark {
  return { ms, tick: 0, writer: writerOf(person) }
}
