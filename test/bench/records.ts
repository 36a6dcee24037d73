/** The data of the workloads: records of an id and five fields, about 150 bytes as JSON, the same in every run. */
export interface Entry {
  readonly title: string
  readonly status: string
  readonly owner: string
  readonly note: string
  readonly n: number
}

export type EntryField = keyof Entry

export const entryFields: readonly EntryField[] = ['title', 'status', 'owner', 'note', 'n']

export function entryId(index: number): string {
  return `r${String(index).padStart(6, '0')}`
}

const letters = 'abcdefghijklmnopqrstuvwxyz'

export function entryAt(index: number): Entry {
  let state = (index * 2_654_435_761 + 12_345) >>> 0
  const draw = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) % below
  }
  const word = (length: number): string =>
    Array.from({ length }, () => letters.charAt(draw(letters.length))).join('')
  const title = word(24)
  const status = ['open', 'done', 'hold'][draw(3)] ?? ''
  return { title, status, owner: `user${draw(100)}`, note: word(48), n: index }
}

export function entries(count: number): readonly (readonly [string, Entry])[] {
  return Array.from({ length: count }, (_, i) => [entryId(i), entryAt(i)])
}
