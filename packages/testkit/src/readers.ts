/** Who may only read for the moment, and at which relay. Relays ask at the beginning of a session. */
export interface Readers {
  add(user: string, url: string): void
  delete(user: string, url: string): void
  has(user: string, url: string): boolean
  clear(): void
  /** Whether somebody was one at any time. */
  wasOne(user: string): boolean
}

export function createReaders(): Readers {
  const readers = new Set<string>()
  const everybody = new Set<string>()
  const nameOf = (user: string, url: string): string => `${user} ${url}`
  return {
    add(user, url) {
      readers.add(nameOf(user, url))
      everybody.add(user)
    },
    delete: (user, url) => void readers.delete(nameOf(user, url)),
    has: (user, url) => readers.has(nameOf(user, url)),
    clear: () => readers.clear(),
    wasOne: user => everybody.has(user),
  }
}
