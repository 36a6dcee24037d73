/** Which notes the list shows, and in which order. */
import type { Note } from './replica.ts'

/** Pinned first, then the newest; what is equal in both stands in the order of ids, the same on every device. */
export function orderNotes(notes: readonly Note[]): readonly Note[] {
  return [...notes].sort(compareNotes)
}

/** Every word must be in the title or, with a #, begin a tag. */
export function matchNotes(notes: readonly Note[], search: string): readonly Note[] {
  const words = search.toLocaleLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return notes
  return notes.filter(note => words.every(word => matchesWord(note, word)))
}

/** All tags in use, sorted. */
export function collectTags(notes: readonly Note[]): readonly string[] {
  return [...new Set(notes.flatMap(note => note.tags))].sort()
}

function matchesWord(note: Note, word: string): boolean {
  if (word.startsWith('#')) return note.tags.some(tag => tag.startsWith(word.slice(1)))
  return note.title.toLocaleLowerCase().includes(word)
}

function compareNotes(left: Note, right: Note): number {
  if (left.pinned !== right.pinned) return left.pinned ? -1 : 1
  if (left.created !== right.created) return right.created - left.created
  return left.id < right.id ? -1 : 1
}
