/** The page of an application that greets people with a note, made as the strategies' documentation says. */
import { openFirstNotes, type FirstNotes } from './seed.ts'

declare global {
  interface Window {
    firstNotes?: FirstNotes
  }
}

const asked = new URL(location.href).searchParams
window.firstNotes = await openFirstNotes('first', asked.get('relay') ?? '', asked.get('user') ?? '')
