/**
 * What a browser said was on its disk, told out of it at once: for each write of the app, whoever makes it, when its
 * `reached('local')` resolves; for a body, what it held before a later write of the same tab, once that is on the disk.
 * And what must then be found there, by whoever reads the disk next.
 */
import type { BrowserContext } from 'playwright'
import type { SeenNote } from '../../e2e/harness/notes-page.ts'

export type Stored =
  | { readonly kind: 'gone'; readonly id: string }
  | { readonly kind: 'body'; readonly id: string; readonly body: string }
  | {
      readonly kind: 'fields'
      readonly id: string
      readonly title?: string | undefined
      readonly colour?: string | undefined
      readonly tags: readonly string[]
      readonly created?: number | undefined
    }

/** The note that is written without pause, so that every kill meets a write on its way, and behind every typing. */
export const witnessId = 'witness'

export async function reportStored(context: BrowserContext, report: (stored: Stored) => void): Promise<void> {
  await context.exposeBinding('reportStored', (_, stored: Stored) => report(stored))
  await context.addInitScript(watchWrites, witnessId)
}

declare global {
  interface Window {
    reportStored?: (stored: Stored) => Promise<void>
  }
}

/** Runs in the page, before everything else there. The app sets `window.replica` before it writes anything. */
function watchWrites(witness: string): void {
  type Opened = NonNullable<Window['replica']>
  const report = (stored: Stored): void => void window.reportStored?.(stored)
  let opened: Opened | undefined
  Object.defineProperty(window, 'replica', {
    get: () => opened,
    set(replica: Opened) {
      opened = replica
      watch(replica)
    },
  })

  function watch({ notes }: Opened): void {
    const { insert, update, delete: remove } = notes
    const told = (write: ReturnType<typeof insert>, stored: Stored): ReturnType<typeof insert> => {
      write.reached('local').then(
        () => report(stored),
        () => {},
      )
      return write
    }
    Object.assign(notes, {
      insert(...given: Parameters<typeof insert>) {
        const write = insert(...given)
        const [{ title, colour, tags = [], created }] = given
        return told(write, { kind: 'fields', id: write.id, title, colour, tags: [...tags], created })
      },
      update(...given: Parameters<typeof update>) {
        const write = update(...given)
        const [id, { title, colour, tags, created }] = given
        const added = tags !== undefined && 'add' in tags ? (tags.add ?? []) : []
        return told(write, { kind: 'fields', id, title, colour, tags: [...added], created })
      },
      delete(id: string) {
        return told(remove(id), { kind: 'gone', id })
      },
    })
    if (notes.get(witness) === undefined) notes.insert({ title: 'Witness' }, { id: witness })
    bearWitness(notes)
    watchTyping(notes)
  }

  function bearWitness(notes: Opened['notes']): void {
    const again = (): void => void setTimeout(bearWitness, 8, notes)
    writeWitness(notes)
      .reached('local')
      .then(again, () => {})
  }

  function writeWitness(notes: Opened['notes']): ReturnType<Opened['notes']['update']> {
    return notes.update(witness, { created: (notes.get(witness)?.created ?? 0) + 1 })
  }

  /** Follows the body of the note that is open. */
  function watchTyping(notes: Opened['notes']): void {
    let isAsking = false
    let open: { readonly id: string; readonly handle: ReturnType<typeof notes.text> } | null = null

    function ask(): void {
      if (isAsking || open === null) return
      isAsking = true
      // What was typed is written at the end of its tick.
      setTimeout(() => {
        isAsking = false
        if (open === null) return
        const { id, handle } = open
        const body = String(handle.text)
        writeWitness(notes)
          .reached('local')
          .then(
            () => report({ kind: 'body', id, body }),
            () => {},
          )
      })
    }

    function follow(): void {
      const prefix = '#/note/'
      const id = location.hash.startsWith(prefix)
        ? decodeURIComponent(location.hash.slice(prefix.length))
        : null
      if (id === open?.id) return
      open?.handle.close()
      open = null
      if (id === null || notes.get(id) === undefined) return
      const handle = notes.text(id, 'body')
      open = { id, handle }
      const attach = (): void => {
        if (open?.handle !== handle) return
        const text = handle.text as { readonly observe: (run: () => void) => void }
        text.observe(ask)
      }
      handle.whenReady.then(attach, () => {})
      handle.onReplaced(attach)
    }

    addEventListener('popstate', follow)
    addEventListener('hashchange', follow)
    follow()
  }
}

/** What must be found. Everything that is compared only ever grows, so that more than was told may be there. */
export interface StoredLedger {
  readonly told: number
  readonly typed: number
  note(stored: Stored): void
  /** A colour will be chosen: of several, the last that was told or one after it is found. */
  paint(id: string, colour: string): void
  /** A note will be deleted: whether that is stored is told only after it is, so from now on it may be gone. */
  remove(id: string): void
  /** One transaction will add this tag to all of these notes. */
  tagTogether(tag: string, ids: readonly string[]): void
  /** Says what is wrong. */
  check(found: Readonly<Record<string, SeenNote>>): readonly string[]
}

interface Expected {
  title: string
  body: string
  tags: Set<string>
  created: number
  /** Those that were chosen since the last that was told, and this one at their head. */
  colours: string[]
  isPainted: boolean
  mayBeGone: boolean
  isGone: boolean
}

export function createStoredLedger(): StoredLedger {
  const expected = new Map<string, Expected>()
  const together = new Map<string, readonly string[]>()
  let told = 0
  let typed = 0

  function of(id: string): Expected {
    const known = expected.get(id)
    if (known !== undefined) return known
    const made: Expected = {
      title: '',
      body: '',
      tags: new Set(),
      created: 0,
      colours: [],
      isPainted: false,
      mayBeGone: false,
      isGone: false,
    }
    expected.set(id, made)
    return made
  }

  function checkNote(id: string, wanted: Expected, note: SeenNote | undefined): readonly string[] {
    if (wanted.isGone) return note === undefined ? [] : [`${id} is back`]
    if (note === undefined) return wanted.mayBeGone ? [] : [`${id} is missing`]
    const wrong: string[] = []
    if (!note.title.startsWith(wanted.title)) wrong.push(`title ${note.title}, not ${wanted.title}`)
    if (!note.body.startsWith(wanted.body)) wrong.push(`body ${note.body}, not ${wanted.body}`)
    for (const tag of wanted.tags) if (!note.tags.includes(tag)) wrong.push(`tag ${tag} is missing`)
    if (note.created < wanted.created) wrong.push(`number ${note.created}, not ${wanted.created}`)
    if (wanted.isPainted && !wanted.colours.includes(note.colour)) {
      wrong.push(`colour ${note.colour}, none of ${wanted.colours.join()}`)
    }
    return wrong.map(what => `${id}: ${what}`)
  }

  return {
    get told() {
      return told
    },
    get typed() {
      return typed
    },
    note(stored) {
      told += 1
      const wanted = of(stored.id)
      if (stored.kind === 'gone') wanted.isGone = true
      if (stored.kind === 'body' && stored.body.length > wanted.body.length) {
        typed += stored.body.length - wanted.body.length
        wanted.body = stored.body
      }
      if (stored.kind !== 'fields') return
      if (stored.title !== undefined) wanted.title = stored.title
      for (const tag of stored.tags) wanted.tags.add(tag)
      if (stored.created !== undefined) wanted.created = stored.created
      const { colour } = stored
      if (colour === undefined) return
      wanted.isPainted = true
      wanted.colours = wanted.colours.slice(Math.max(0, wanted.colours.indexOf(colour)))
    },
    remove(id) {
      of(id).mayBeGone = true
    },
    paint: (id, colour) => void of(id).colours.push(colour),
    tagTogether: (tag, ids) => void together.set(tag, ids),
    check(found) {
      const wrong = [...expected].flatMap(([id, wanted]) => checkNote(id, wanted, found[id]))
      for (const [tag, ids] of together) {
        const standing = ids.filter(id => found[id] !== undefined)
        const tagged = standing.filter(id => found[id]?.tags.includes(tag) === true)
        if (tagged.length > 0 && tagged.length < standing.length) {
          wrong.push(
            `${tag} stands on ${tagged.length} of ${standing.length} notes, which one transaction tagged`,
          )
        }
      }
      return wrong
    },
  }
}
