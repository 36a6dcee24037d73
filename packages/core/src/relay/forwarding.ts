/**
 * Forwarding: what sessions are told of a commit, and of each row what is new to them (SPEC A1, F2, P2).
 *
 * Verdicts first, then the change to everybody whose pull is at the cut before: one frame for all clients, since what
 * goes to many is encoded once, and one without what it brought for each that brought something.
 */
import type { ChangedRow, ChangesFrame, Cut, TextPart } from '../frames.ts'
import { lineageOf } from '../generations.ts'
import type { FeedPart, FeedRow, HeldRow, TextState } from '../relay-store.ts'
import { limits } from '../limits.ts'
import { countParts, rowExists, type DocumentKey, type PartName, type Row } from '../row.ts'
import { sizeOfChanged } from '../size.ts'
import type { Origins } from './origins.ts'
import type { Delivery, SpaceSession } from './space-session.ts'
import type { Standing } from './standing.ts'
import type { Turn } from './turn.ts'

export interface Forwarding {
  /** A turn is on disk, and `standing` has moved on: what is said of it. */
  deliveries(
    turn: Turn,
    sessions: Iterable<SpaceSession>,
    moved: { readonly position: boolean; readonly frontier: boolean },
  ): readonly Delivery[]
  changedRow(session: SpaceSession, row: FeedRow, texts: ReadonlyMap<PartName, TextPart>): ChangedRow | null
  textsToSend(session: SpaceSession, row: FeedRow): readonly PartName[]
  cutFor(session: SpaceSession, fingerprint: boolean): Cut
}

/** How many facts of another relay's lineage go with an entry of the frontier; who lacks more asks at its next hello. */
const factsPerEntry = 4
/** About how much of a commit goes out in one frame. */
const liveBytesMax = limits.frameBytesMax / 2

export function createForwarding(standing: Standing, origins: Origins): Forwarding {
  function advance(session: SpaceSession): void {
    session.cut = session.place = standing.position
    session.told = standing.frontier
  }

  function answersOf(turn: Turn, moved: boolean): Delivery[] {
    const { generation, position } = standing
    const deliveries: Delivery[] = []
    for (const [session, { submits, exceptions, gives, refused }] of turn.answers) {
      const commit = { generation, position }
      if (submits) {
        const cut = moved && session.live && !turn.hasNews && changesFor(turn, session).length === 0
        if (cut) advance(session)
        const count = session.submitted
        deliveries.push({ session, frame: { type: 'verdict', count, ...commit, cut, exceptions } })
      }
      if (gives)
        deliveries.push({ session, frame: { type: 'given', count: session.givenCount, ...commit, refused } })
    }
    return deliveries
  }

  function forward(turn: Turn, sessions: Iterable<SpaceSession>, moved: boolean): Delivery[] {
    const deliveries: Delivery[] = []
    const shared = new Map<string, ChangesFrame | null>()
    for (const session of sessions) {
      if (!session.live || (moved && session.place === standing.position)) continue
      const isOwn = session.role === 'peer' || turn.answers.has(session)
      const kind = isOwn ? `own ${session.id}` : session.role
      let frame = shared.get(kind)
      if (frame === undefined) {
        frame = changesOf(turn, session)
        if (sizeOfChanges(frame) > liveBytesMax) frame = null
        shared.set(kind, frame)
      }
      if (frame === null) {
        // F1: what one frame does not hold is sent in pages from its place.
        session.live = false
        continue
      }
      advance(session)
      session.toldWriters = standing.position
      deliveries.push({ session, frame })
    }
    return deliveries
  }

  function changesOf(turn: Turn, session: SpaceSession): ChangesFrame {
    return {
      type: 'changes',
      rows: changesFor(turn, session),
      place: standing.position,
      head: standing.position,
      cut: cutFor(session, false),
      answer: false,
      writers: session.role === 'peer' ? [...turn.writers.values()] : [],
    }
  }

  function changesFor(turn: Turn, session: SpaceSession): readonly ChangedRow[] {
    const tails = tailsOf(turn)
    return [...turn.rows].flatMap(([key, held]) => {
      const changed = select(session, key, held, turn.position - 1, tails.get(key) ?? noTails)
      return changed === null ? [] : [changed]
    })
  }

  /** P2: of a row, every part that changed after a cut, but what came over this very session. */
  function select(
    session: SpaceSession,
    key: DocumentKey,
    held: HeldRow,
    after: number,
    texts: ReadonlyMap<PartName, TextPart>,
  ): ChangedRow | null {
    const isNews = (part: FeedPart): boolean =>
      (held.positions.get(part) ?? 0) > after && !origins.cameOver(session, key, part)
    const delta: Row = {
      cells: new Map([...held.row.cells].filter(([part]) => isNews(part))),
      deletion: isNews('deletion') ? held.row.deletion : null,
      revival: isNews('revival') ? held.row.revival : null,
    }
    const sent = countParts(delta)
    if (sent === 0) return null
    const all = countParts(held.row)
    const bodies = new Map([...texts].filter(([part]) => delta.cells.has(part)))
    const isWhole = sent === all && [...held.texts].every(([part, text]) => bringsAll(bodies.get(part), text))
    return { key, delta, parts: isWhole ? 0 : all, texts: bodies }
  }

  function cutFor(session: SpaceSession, fingerprint: boolean): Cut {
    const { generation, generations, position, record } = standing
    const news = new Map(
      [...standing.frontier].filter(([id, at]) => id !== generation && session.told.get(id) !== at),
    )
    return {
      generation,
      position,
      frontier: news,
      generations: [...news.keys()].flatMap(id => lineageOf(generations, id).slice(0, factsPerEntry)),
      fingerprint: fingerprint ? record.fingerprint : null,
    }
  }

  return {
    deliveries(turn, sessions, moved) {
      const deliveries = answersOf(turn, moved.position)
      if (moved.position || moved.frontier) deliveries.push(...forward(turn, sessions, moved.position))
      return deliveries
    },
    changedRow(session, { key, held }, texts) {
      // P4: a new client is spared what did not exist when its walk began.
      const isSpared = session.fresh > 0 && session.cut === 0 && held.position <= session.fresh
      return isSpared && !rowExists(held.row) ? null : select(session, key, held, session.cut, texts)
    },
    textsToSend: (session, { key, held }) =>
      [...held.texts.keys()].filter(
        part => (held.positions.get(part) ?? 0) > session.cut && !origins.cameOver(session, key, part),
      ),
    cutFor,
  }
}

/** P4: who lacks a row needs its bodies from their beginning, not from the cut on. */
function bringsAll(text: TextPart | undefined, { bytes }: TextState): boolean {
  if (text?.kind === 'head') return true
  return (text?.updates ?? []).reduce((sum, update) => sum + update.length, 0) === bytes
}

function sizeOfChanges({ rows }: ChangesFrame): number {
  return rows.reduce((bytes, row) => bytes + sizeOfChanged(row), 0)
}

const noTails: ReadonlyMap<PartName, TextPart> = new Map()

function tailsOf(turn: Turn): ReadonlyMap<DocumentKey, ReadonlyMap<PartName, TextPart>> {
  const tails = new Map<
    DocumentKey,
    Map<PartName, { readonly kind: 'tail'; readonly updates: Uint8Array[] }>
  >()
  for (const { key, part, update } of turn.texts) {
    const ofRow = tails.get(key) ?? new Map()
    tails.set(key, ofRow)
    const tail = ofRow.get(part)
    if (tail === undefined) ofRow.set(part, { kind: 'tail', updates: [update] })
    else tail.updates.push(update)
  }
  return tails
}
