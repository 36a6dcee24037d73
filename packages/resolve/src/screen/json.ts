/**
 * JSON inside text updates: what embeds and formats carry. Only text that reads and writes back as itself is taken,
 * so that an update means the same to everybody, however often it was read and written on its way.
 */
import { isForbiddenKey, limits } from '@rejoin/core'

/** Why a text cannot stand as a value in an update; null if it can. */
export function faultOfJson(text: string): string | null {
  // Before parsing: what nests without bound overflows the stack of whoever writes it again.
  if (depthOfJson(text) > limits.valueDepthMax) return 'nests a value too deep'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'has a value that is not JSON'
  }
  if (hasForbiddenKey(value)) return 'has a forbidden key'
  return JSON.stringify(value) === text ? null : 'has a value that is not in its plain form'
}

function depthOfJson(text: string): number {
  let depth = 0
  let deepest = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (quoted) {
      if (character === '\\') i++
      else if (character === '"') quoted = false
    } else if (character === '"') quoted = true
    else if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth)
    else if (character === ']' || character === '}') depth--
  }
  return deepest
}

function hasForbiddenKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(
    ([key, inner]) => (!Array.isArray(value) && isForbiddenKey(key)) || hasForbiddenKey(inner),
  )
}
