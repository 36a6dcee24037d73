/**
 * Texts as they are judged: each update is screened before it is stored, by what is known of its body (SPEC X3-X8).
 */
import { failure, type Outcome } from '../errors.ts'
import { limits } from '../limits.ts'
import { valuesOf } from '../listed-map.ts'
import { haveOneYjsClient, yjsClientOf } from '../mark.ts'
import type { TextState } from '../relay-store.ts'
import type { PartName, Row } from '../row.ts'
import type { TextUpdates, Write } from '../write.ts'
import { exceeded } from './growth.ts'

/** What is known of a row where it is judged. */
export interface JudgedRow {
  readonly row: Row
  readonly texts: ReadonlyMap<PartName, TextState>
}

/** Screens one text update (SPEC X4, X5): given by `resolve`, since the core does not look into bodies. */
export type ScreenText = (
  update: Uint8Array,
  options: {
    readonly client: number
    readonly known: ReadonlyMap<number, number>
    readonly ownership: boolean
  },
) => Outcome<ScreenedText>

export interface ScreenedText {
  /** The update without what is known already: what is stored, so that a resend cannot rewrite what stands. */
  readonly update: Uint8Array
  readonly stateVector: ReadonlyMap<number, number>
  readonly isNew: boolean
}

export interface TakenRow extends JudgedRow {
  /** Updates that were new, in order. */
  readonly updates: readonly { readonly part: PartName; readonly update: Uint8Array }[]
}

/** What a writer typed: under its own Yjs client, with the cell that says so. */
export function takeTypedTexts(
  write: Write,
  row: Row,
  before: JudgedRow | undefined,
  earlier: TakenRow['updates'],
  screen: ScreenText,
): Outcome<TakenRow> {
  const { texts, delta, mark } = write
  if (texts.size === 0 && !hasTexts(delta)) return takeTexts(row, texts, before, earlier, noClient, screen)
  const client = yjsClientOf(mark.writer)
  for (const name of texts.keys()) {
    if (!delta.cells.has(name)) return textInvalid(`updates of ${name} without its cell`)
    const cell = before?.row.cells.get(name)
    if (cell?.strategy !== 'text') continue
    for (const writer of cell.context.keys()) {
      if (writer !== mark.writer && haveOneYjsClient(writer, mark.writer))
        return { ok: false, error: failure('client-id-taken', { client }) }
    }
  }
  for (const [name, { strategy }] of delta.cells) {
    // X3: the cell says that there are updates, so it must not be taken without any.
    if (strategy === 'text' && (texts.get(name) ?? []).length === 0)
      return textInvalid(`a cell of ${name} without updates`)
  }
  return limited(takeTexts(row, texts, before, earlier, { client, ownership: true }, screen), before)
}

function hasTexts(delta: Row): boolean {
  const cells = valuesOf(delta.cells)
  for (let i = 0; i < cells.length; i++) if (cells[i]?.strategy === 'text') return true
  return false
}

/** Of what brings no text nobody asks who typed it. */
const noClient = { client: 0, ownership: false }
const noStates: TakenRow['texts'] = new Map()

export function textInvalid(reason: string): Outcome<never> {
  return { ok: false, error: failure('text-invalid', { reason }) }
}

/** What is given back of a text, by whomever. */
export function takeGivenTexts(
  row: Row,
  texts: TextUpdates,
  before: JudgedRow | undefined,
  screen: ScreenText,
): Outcome<TakenRow> {
  return limited(takeTexts(row, texts, before, [], { client: 0, ownership: false }, screen), before)
}

/** Screens updates in order and adds what they bring to what is known of each body. Of what peers joined nothing is refused for its size. */
export function takeTexts(
  row: Row,
  texts: TextUpdates,
  before: JudgedRow | undefined,
  earlier: TakenRow['updates'],
  options: { readonly client: number; readonly ownership: boolean },
  screen: ScreenText,
): Outcome<TakenRow> {
  if (texts.size === 0)
    return { ok: true, value: { row, texts: before?.texts ?? noStates, updates: earlier } }
  const states = new Map(before?.texts ?? [])
  const updates = [...earlier]
  for (const [part, list] of texts) {
    const held = states.get(part)
    // Of many who typed, with many updates, it is copied once.
    const stateVector = new Map(held?.stateVector)
    let bytes = held?.bytes ?? 0
    let isMore = false
    for (const update of list) {
      const screened = screen(update, { ...options, known: stateVector })
      if (!screened.ok) return screened
      if (!screened.value.isNew) continue
      isMore = true
      bytes += screened.value.update.length
      for (const [client, clock] of screened.value.stateVector) stateVector.set(client, clock)
      updates.push({ part, update: screened.value.update })
    }
    if (isMore) states.set(part, { stateVector, bytes })
  }
  return { ok: true, value: { row, texts: states, updates } }
}

/** F4: as of rows, what would grow texts beyond their bounds is refused. What deletes alone makes them shorter in the end. */
function limited(taken: Outcome<TakenRow>, before: JudgedRow | undefined): Outcome<TakenRow> {
  if (!taken.ok || taken.value.texts.size === 0) return taken
  let [clients, had] = [0, 0]
  for (const [part, { stateVector, bytes }] of taken.value.texts) {
    const held = before?.texts.get(part)
    clients += stateVector.size
    had += held?.stateVector.size ?? 0
    if (bytes > limits.textBytesMax && !isSameState(stateVector, held?.stateVector ?? noClients))
      return { ok: false, error: exceeded('bytes of a text', limits.textBytesMax, bytes) }
  }
  return clients > Math.max(limits.textClientsMax, had)
    ? { ok: false, error: exceeded('clients of the texts of a row', limits.textClientsMax, clients) }
    : taken
}

const noClients: TextState['stateVector'] = new Map()

function isSameState(a: TextState['stateVector'], b: TextState['stateVector']): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const [client, clock] of a) if (b.get(client) !== clock) return false
  return true
}
