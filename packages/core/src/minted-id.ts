/**
 * Ids of documents that Rejoin makes: the writer's 64 bits and a serial (SPEC W5). As text, eleven characters, a
 * dot, and the serial in base 32; on the wire two small numbers. Any other string is an id of the application's.
 */
import { isWriterId, type WriterId } from './mark.ts'

export interface MintedId {
  readonly mint: WriterId
  readonly serial: number
}

/** Twice its difference must be exact, so a serial has 48 bits. */
export const serialLimit: number = 2 ** 48

export function mintedId(mint: WriterId, serial: number): string {
  return `${mint}.${serial.toString(32)}`
}

/** The parts of a minted id in its one form, or null for any other string. */
export function parseMintedId(id: string): MintedId | null {
  if (id.length < 13 || id.length > 21 || id.charCodeAt(11) !== 46) return null
  const mint = id.slice(0, 11)
  if (!isWriterId(mint)) return null
  const digits = id.slice(12)
  const serial = Number.parseInt(digits, 32)
  return serial < serialLimit && serial.toString(32) === digits ? { mint, serial } : null
}
