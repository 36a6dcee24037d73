/** What a note is, and for each of its fields how two people who write it at once are settled. */
import { collection } from '@rejoin/client'
import { ask, lww, set, text } from '@rejoin/resolve'
import * as v from 'valibot'

export const colours = ['plain', 'amber', 'coral', 'rose', 'violet', 'blue', 'teal', 'green'] as const
export type Colour = (typeof colours)[number]

export const titleLengthMax = 200
export const tagLengthMax = 32

export const notes = collection('notes', {
  // Two people renamed it: one of the names would be lost without anybody knowing, so somebody decides.
  title: ask(v.pipe(v.string(), v.maxLength(titleLengthMax))),
  body: text(),
  colour: lww(v.optional(v.picklist(colours), 'plain')),
  pinned: lww(v.optional(v.boolean(), false)),
  created: lww(v.optional(v.number(), 0)),
  tags: set(v.pipe(v.string(), v.minLength(1), v.maxLength(tagLengthMax))),
})

/** How a title is shown where there may be none. */
export function showTitle(title: string): string {
  return title.trim() === '' ? 'Untitled' : title
}

/** A colour as this version knows it: another version may have written one that it does not. */
export function showColour(colour: string): Colour {
  return colours.find(known => known === colour) ?? 'plain'
}

/** A tag as it is stored, so that "Home " and "home" are one. */
export function cleanTag(text: string): string {
  return text.replace(/^#+/, '').replace(/\s+/g, ' ').trim().toLowerCase().slice(0, tagLengthMax).trim()
}
