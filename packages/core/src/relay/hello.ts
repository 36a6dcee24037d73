/**
 * How a session begins (SPEC S1, S2, S4): where who asks goes on in this feed, and which facts it lacks to compare
 * what it holds with what is held here.
 */
import type { HelloFrame, WelcomeFrame } from '../frames.ts'
import {
  coversPositions,
  heldPosition,
  impliedPosition,
  lineageOf,
  type Cursor,
  type Generation,
  type GenerationId,
} from '../generations.ts'
import type { Caller, SpaceSession } from './space-session.ts'
import type { Standing } from './standing.ts'

export interface Beginning {
  readonly begin: WelcomeFrame['begin']
  readonly cursor: Cursor
}

/** S2: resume, new or join. Peers do not join: a cursor falls back to where both lineages agree (S4). */
export function beginningOf(standing: Standing, frame: HelloFrame): Beginning {
  const resumed = resumeFrom(standing, frame)
  if (resumed !== null) return { begin: 'resume', cursor: resumed }
  const { generation, position } = standing
  const at = (cut: number): Cursor => ({ generation, cut, place: cut })
  if (frame.role === 'peer') {
    const pulled = new Map(frame.cursors.map(cursor => [cursor.generation, cursor.cut]))
    const fork = heldPosition(standing.generations, pulled, generation, position)
    return { begin: 'resume', cursor: at(fork) }
  }
  return frame.empty ? { begin: 'new', cursor: at(0) } : { begin: 'join', cursor: at(position) }
}

/** The greatest cut of this lineage that a cursor or a frontier gives, whole; null if none is held here. */
function resumeFrom(standing: Standing, frame: HelloFrame): Cursor | null {
  const { generations, generation, position, store } = standing
  let best: Cursor | null = null
  const consider = (from: GenerationId, cut: number, place: number): void => {
    if (generations.get(from)?.store !== store) return
    if (cut > impliedPosition(generations, generation, position, from)) return
    if (best !== null && best.cut >= cut) return
    best = { generation, cut, place: from === generation ? Math.max(place, cut) : cut }
  }
  for (const cursor of frame.cursors) consider(cursor.generation, cursor.cut, cursor.place)
  for (const [from, cut] of frame.frontier) consider(from, cut, cut)
  return best
}

export function sessionOf(
  standing: Standing,
  frame: HelloFrame,
  caller: Caller,
  { cursor }: Beginning,
  id: number,
): SpaceSession {
  const isNew = frame.role === 'client' && frame.empty && cursor.cut === 0
  return {
    id,
    role: frame.role,
    replica: frame.replica,
    device: frame.device,
    caller,
    cut: cursor.cut,
    place: cursor.place,
    fresh: isNew ? standing.position : 0,
    walking: false,
    live: false,
    credit: frame.credit === 0 ? Number.POSITIVE_INFINITY : frame.credit,
    submitted: 0,
    round: 0,
    skipping: false,
    givenCount: 0,
    bodyAhead: null,
    told: standing.frontier,
    toldWriters: cursor.cut,
  }
}

export function welcomeOf(
  standing: Standing,
  frame: HelloFrame,
  caller: Caller,
  beginning: Beginning,
  now: number,
): WelcomeFrame {
  const { store, generations, frontier } = standing
  const { leader, levels } = standing.lead
  return {
    type: 'welcome',
    time: now,
    store,
    ...beginning,
    generations: factsFor(standing, frame),
    frontier,
    covers: coversPositions(generations, frontier, frame.reach),
    // Q4: who may only read keeps what it wrote, for a token that may write.
    levels: caller.mayWrite ? levels : [],
    user: caller.user,
    leader,
    term: 0,
  }
}

/**
 * The lineages of all frontier entries, as far back as where the hello says that who asks has pulled. Of what the reach
 * names it may have heard by a verdict alone, and not know from what that descends.
 */
function factsFor({ generations, generation, frontier }: Standing, frame: HelloFrame): readonly Generation[] {
  const known = new Set<GenerationId>([
    ...frame.cursors.map(cursor => cursor.generation),
    ...frame.frontier.keys(),
  ])
  const facts = new Map<GenerationId, Generation>()
  for (const tip of [generation, ...frontier.keys()]) {
    for (const fact of lineageOf(generations, tip)) {
      facts.set(fact.id, fact)
      if (known.has(fact.id)) break
    }
  }
  return [...facts.values()]
}
