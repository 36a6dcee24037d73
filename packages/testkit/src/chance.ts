/**
 * Chance with a return address: everything random in a simulation comes from one seed, so a run can be had again.
 * The generator is xoshiro128** (Blackman and Vigna, 2018), seeded by splitmix32.
 */
export interface Chance {
  /** A number in [0, 1). */
  next(): number
  /** A whole number in [0, below). */
  below(below: number): number
  /** True with this probability. */
  chance(probability: number): boolean
  pick<T>(items: readonly T[]): T
  bytes(length: number): Uint8Array
  /** An independent generator, whose draws do not move this one's. */
  fork(): Chance
}

export function createChance(seed: number): Chance {
  let mixed = seed >>> 0
  const split = (): number => {
    mixed = (mixed + 0x9e3779b9) >>> 0
    let z = mixed
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
  let [a, b, c, d] = [split(), split(), split(), split()] as [number, number, number, number]
  const rotate = (x: number, by: number): number => ((x << by) | (x >>> (32 - by))) >>> 0

  function draw(): number {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return result
  }

  /** Ids and keys are short. What is long only has to take up room, so it repeats. */
  function bytes(length: number): Uint8Array {
    const drawn = new Uint8Array(length)
    const fresh = Math.min(length, 1024)
    for (let i = 0; i < fresh; i += 4) {
      let four = draw()
      for (let j = i; j < i + 4 && j < fresh; j++, four >>>= 8) drawn[j] = four & 0xff
    }
    for (let i = fresh; i < length; i += fresh) drawn.copyWithin(i, 0, Math.min(fresh, length - i))
    return drawn
  }

  const next = (): number => draw() / 2 ** 32
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    next,
    below,
    chance: probability => next() < probability,
    pick: items => {
      const item = items[below(items.length)]
      if (item === undefined) throw new RangeError('nothing to pick from')
      return item
    },
    bytes,
    fork: () => createChance(draw()),
  }
}
