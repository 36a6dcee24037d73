/**
 * Who writes here. Nobody is asked before they can write: a name is drawn, kept on this device and can be changed.
 * In development the name is also the token, so it is who others see.
 */

const nameKey = 'rejoin-notes:name'
const keptKey = 'rejoin-notes:name-kept'

const adjectives = [
  'Amber',
  'Brave',
  'Calm',
  'Coral',
  'Dusky',
  'Early',
  'Gentle',
  'Golden',
  'Hazel',
  'Indigo',
  'Lucky',
  'Mellow',
  'Misty',
  'Olive',
  'Quiet',
  'Rapid',
  'Silver',
  'Sunny',
  'Velvet',
  'Wild',
]
const animals = [
  'Badger',
  'Crane',
  'Deer',
  'Falcon',
  'Finch',
  'Fox',
  'Hare',
  'Heron',
  'Ibis',
  'Lark',
  'Lynx',
  'Marten',
  'Otter',
  'Owl',
  'Raven',
  'Seal',
  'Swift',
  'Tern',
  'Vole',
  'Wren',
]

/** The longest name that fits everywhere it is shown. */
export const nameLengthMax = 40

export interface Identity {
  readonly name: string
  /** Whether the person has seen and agreed to the name. */
  readonly kept: boolean
}

/** The stored name, or a new one, which is stored at once: a reload must not make somebody else of a person. */
export function readIdentity(): Identity {
  const stored = cleanName(read(nameKey) ?? '')
  if (stored !== '') return { name: stored, kept: read(keptKey) === 'yes' }
  const name = `${draw(adjectives)} ${draw(animals)}`
  write(nameKey, name)
  return { name, kept: false }
}

export function keepIdentity(name: string): Identity {
  write(nameKey, name)
  write(keptKey, 'yes')
  return { name, kept: true }
}

/** Whose notes these are stands beside them: a name that was only drawn, and then forgotten, is known from there. */
export function recallIdentity(identity: Identity, owner: string | undefined): Identity {
  if (identity.kept || owner === undefined || owner === identity.name) return identity
  write(nameKey, owner)
  return { name: owner, kept: false }
}

/**
 * The account under which this space's notes are kept on this device. The first person's is the one without a name, so
 * that a browser that forgets who they are still finds what they wrote.
 */
export function readAccount(space: string): string {
  return read(accountKeyOf(space)) ?? ''
}

export function keepAccount(space: string, name: string): void {
  write(accountKeyOf(space), name)
}

function accountKeyOf(space: string): string {
  return `rejoin-notes:account:${space}`
}

export function cleanName(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, nameLengthMax).trim()
}

/** Up to two letters that stand for a name. */
export function initialsOf(name: string): string {
  const words = cleanName(name).split(' ')
  const letters = [words[0], words.length > 1 ? words.at(-1) : ''].map(word => [...(word ?? '')][0] ?? '')
  return letters.join('').toUpperCase()
}

/** A hue for a name, the same on every device. */
export function hueOf(name: string): number {
  let hash = 7
  for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 9973
  return (hash * 47) % 360
}

/** How a device is called where its owner did not name it: enough to tell a phone from a laptop. */
export function nameDevice(userAgent: string): string {
  const browsers = [
    ['Edg/', 'Edge'],
    ['OPR/', 'Opera'],
    ['Firefox/', 'Firefox'],
    ['Chrome/', 'Chrome'],
    ['Safari/', 'Safari'],
  ] as const
  const systems = [
    ['Android', 'Android'],
    ['iPhone', 'iPhone'],
    ['iPad', 'iPad'],
    ['Windows', 'Windows'],
    ['Mac OS', 'Mac'],
    ['CrOS', 'Chromebook'],
    ['Linux', 'Linux'],
  ] as const
  const browser = browsers.find(([mark]) => userAgent.includes(mark))?.[1] ?? 'Browser'
  const system = systems.find(([mark]) => userAgent.includes(mark))?.[1]
  return system === undefined ? browser : `${browser} on ${system}`
}

function draw(words: readonly string[]): string {
  const [chance = 0] = crypto.getRandomValues(new Uint32Array(1))
  return words[chance % words.length] ?? ''
}

// A browser may refuse to store anything; then the name lasts as long as the page.
const unstored = new Map<string, string>()

function read(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return unstored.get(key) ?? null
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    unstored.set(key, value)
  }
}
