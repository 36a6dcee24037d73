/** The page of an application that greets people with a note, made as the strategies' documentation says. */
import { openFirstNotes, type FirstNotes } from './seed.ts'

declare global {
  interface Window {
    firstNotes?: FirstNotes
  }
}

const asked = new URL(location.href).searchParams
const replica = await openFirstNotes('first', asked.get('relay') ?? '', asked.get('user') ?? '')
// As long as the page is there, the note is open.
if (replica.notes.get('welcome') !== undefined) await replica.notes.text('welcome', 'body').whenReady
window.firstNotes = replica
