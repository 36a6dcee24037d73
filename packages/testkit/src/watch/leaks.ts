/** Leaks: nothing of one space is in a frame of another one (V13). What is written bears the number of its space. */

const written = /(?:w|<|title |place |mood |color |seen |pair )([1-9]\d{5})(?!\d)/g
const latin = new TextDecoder('latin1')
const perSpace = 100_000

/** The number before the first write of a space, where there are several. */
export function firstNumber(spaces: readonly string[], space: string): number {
  return spaces.length === 1 ? 0 : perSpace * (spaces.indexOf(space) + 1)
}

/** What of another space is in a frame, or null. */
export function leakIn(spaces: readonly string[], space: string, frame: Uint8Array): string | null {
  const own = spaces.indexOf(space) + 1
  for (const [found, number] of latin.decode(frame).matchAll(written))
    if (Math.floor(Number(number) / perSpace) !== own) return found
  return null
}
