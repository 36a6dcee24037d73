/**
 * What a peer sends of a text that is here already is left out before it is taken in (SPEC P2). A state vector does not
 * tell whether deletes are known, so an update of deletes alone would count as news at every relay that it reaches, and
 * go round between peers for ever. The body is read for it, but only where the row itself brings nothing.
 */
import {
  joinRows,
  type ChangedRow,
  type ChangesFrame,
  type DocumentKey,
  type HeldRow,
  type RelayStore,
  type TextPart,
} from '@rejoin/core'
import { headOfBody, screenUpdate } from '@rejoin/resolve/screen'

export async function withoutKnownTexts(
  space: string,
  store: RelayStore,
  frame: ChangesFrame,
  held: ReadonlyMap<DocumentKey, HeldRow>,
): Promise<ChangesFrame> {
  const rows: ChangedRow[] = []
  for (const row of frame.rows) rows.push(await withoutKnown(space, store, row, held.get(row.key)))
  return rows.every((row, i) => row === frame.rows[i]) ? frame : { ...frame, rows }
}

async function withoutKnown(
  space: string,
  store: RelayStore,
  row: ChangedRow,
  held: HeldRow | undefined,
): Promise<ChangedRow> {
  if (row.texts.size === 0 || held === undefined || joinRows(held.row, row.delta) !== held.row) return row
  const texts = new Map(row.texts)
  for (const [part, text] of row.texts) {
    const known = held.texts.get(part)?.stateVector
    if (known === undefined || !addsNoStructs(text, known)) continue
    if (isKnown(await store.textBody(space, row.key, part), text)) texts.delete(part)
  }
  return texts.size === row.texts.size ? row : { ...row, texts }
}

/** What is not sound is left for the room that judges it. */
function addsNoStructs(text: TextPart, known: ReadonlyMap<number, number>): boolean {
  if (text.kind === 'head') return false
  return text.updates.every(update => {
    const screened = screenUpdate(update, { client: 0, known, ownership: false })
    return (
      screened.ok && [...screened.value.stateVector].every(([client, end]) => end <= (known.get(client) ?? 0))
    )
  })
}

function isKnown(body: readonly Uint8Array[], text: TextPart): boolean {
  if (text.kind === 'head') return false
  return headOfBody([...body, ...text.updates]).digest === headOfBody(body).digest
}
