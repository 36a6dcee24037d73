/** Typing: into a body through its Yjs document, one token at a time, or one's own token away again. */
import { documentKey } from '@rejoin/core'
import type { OpenTab } from '../cluster.ts'
import type { DocumentName } from '../schema.ts'
import type { Author } from './author.ts'

/** More than a relay sends of a body without being asked (SPEC X6). */
const page = 'x'.repeat(70_000)

export function type(author: Author, open: OpenTab, name: DocumentName, id: string): void {
  const { enter, findings, log } = author
  const { chance } = author.cluster
  const handle = open.replica[name].text(id, 'body')
  // A second editor on the same text, which sees the same and may be the one that types.
  const second = chance.chance(0.3) ? open.replica[name].text(id, 'body') : null
  const key = documentKey(name, id)
  handle.whenReady.then(
    () => {
      if (!open.tab.scope.alive) return
      const { text } = second ?? handle
      const content = String(text)
      const own = log.filter(
        entry =>
          entry.kind === 'text' &&
          entry.key === key &&
          entry.device === open.device &&
          !entry.erased &&
          content.includes(entry.token),
      )
      const old = own.length > 0 && chance.chance(0.3) ? chance.pick(own) : null
      if (old === null) {
        const entry = enter(open, key, 'text', [])
        const pasted = chance.chance(0.03) ? page : ''
        text.insert(placeBetweenTokens(content, chance.below(text.length + 1)), entry.token + pasted)
        awaitDisk(open, () => (entry.local = true), 3)
      } else {
        old.erased = true
        text.delete(content.indexOf(old.token), old.token.length)
      }
      if (second !== null && String(handle.text) !== String(second.text))
        findings.push(`two handles of ${key} show different texts`)
      second?.close()
      if (chance.chance(0.2)) author.editors.keep(open, key, handle)
      else handle.close()
    },
    () => {},
  )
}

/** Not inside a token, since who looks for one in a body's wire form looks for it in one piece. */
function placeBetweenTokens(content: string, place: number): number {
  const token = [...content.matchAll(/<\d+>/g)].find(
    ({ index, 0: { length } }) => index < place && place < index + length,
  )
  return token === undefined ? place : token.index
}

/** What was typed is a write that nobody has a handle of: it is on disk after a while in which the disk took writes. */
function awaitDisk(open: OpenTab, done: () => void, good: number): void {
  if (good === 0) return done()
  // A write that met a full disk is tried again after seconds.
  open.tab.scope.after(good === 3 ? 200 : 5000, () =>
    awaitDisk(open, done, open.device.disk.failing ? 3 : good - 1),
  )
}
