/** A list in pieces, for what is done of it a bounded piece at a time. */
export function slicesOf<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  if (all.length <= size) return all.length === 0 ? [] : [all]
  const slices: (readonly T[])[] = []
  for (let from = 0; from < all.length; from += size) slices.push(all.slice(from, from + size))
  return slices
}
