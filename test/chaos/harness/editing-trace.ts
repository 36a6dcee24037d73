/**
 * A recorded editing trace of several authors as bursts: what an author typed without hearing of anybody, and without
 * anybody hearing of the middle of it. To replay a trace truly, an author must have exactly what they had then: before
 * each burst as much of each other author as `seen` says, no more and no less.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** Position, characters to delete there, characters to insert there. */
export type Patch = readonly [position: number, deleted: number, inserted: string]

export interface Burst {
  readonly author: number
  /** How many bursts of each author its text holds before it, own ones included. */
  readonly seen: readonly number[]
  readonly patches: readonly Patch[]
}

export interface EditingTrace {
  readonly end: string
  readonly authors: number
  /** In an order in which every burst comes after what it saw. */
  readonly bursts: readonly Burst[]
  /** Keystrokes, as recorded. */
  readonly edits: number
  /** Recorded transactions that saw more than one branch. */
  readonly merges: number
}

interface RecordedTransaction {
  readonly parents: readonly number[]
  readonly agent: number
  readonly patches: readonly Patch[]
}

interface RecordedTrace {
  readonly endContent: string
  readonly numAgents: number
  readonly txns: readonly RecordedTransaction[]
}

/** Reads a trace of one author: each edit was made in what those before it made. */
export function readPatches(name: string): readonly Patch[] {
  const { txns }: Pick<RecordedTrace, 'txns'> = JSON.parse(readFixture(name))
  return txns.flatMap(({ patches }) => patches)
}

/** Reads a trace of several authors. */
export function readEditingTrace(name: string): EditingTrace {
  const recorded: RecordedTrace = JSON.parse(readFixture(name))
  const { endContent: end, numAgents: authors, txns } = recorded
  const views = viewsOf(recorded)
  return {
    end,
    authors,
    bursts: gatherBursts(recorded, views),
    edits: txns.reduce((sum, { patches }) => sum + patches.length, 0),
    merges: txns.filter(({ parents }) => parents.length > 1).length,
  }
}

function readFixture(name: string): string {
  const path = join(import.meta.dirname, '..', '..', 'fixtures', 'editing-traces', `${name}.json.gz`)
  return gunzipSync(readFileSync(path)).toString()
}

/** Of each transaction how many transactions of each author it had seen. Each author's own are in one line. */
function viewsOf({ txns, numAgents }: RecordedTrace): readonly (readonly number[])[] {
  const after: number[][] = []
  const made = Array.from({ length: numAgents }, () => 0)
  return txns.map(({ parents, agent }) => {
    const view = Array.from({ length: numAgents }, (_, author) =>
      Math.max(0, ...parents.map(parent => after[parent]?.[author] ?? 0)),
    )
    if (view[agent] !== made[agent]) throw new Error('an author of this trace has branches of their own')
    made[agent] = (made[agent] ?? 0) + 1
    after.push(view.map((count, author) => (author === agent ? count + 1 : count)))
    return view
  })
}

function gatherBursts(
  { txns, numAgents }: RecordedTrace,
  views: readonly (readonly number[])[],
): readonly Burst[] {
  const authors = Array.from({ length: numAgents }, (_, author) => author)
  // After so many transactions of an author somebody else looked.
  const looks = authors.map(author => {
    const others = views.filter((_, i) => txns[i]?.agent !== author)
    return new Set(others.map(view => view[author] ?? 0))
  })
  const bursts: { author: number; seen: readonly number[]; patches: Patch[] }[] = []
  const open: ((typeof bursts)[number] | undefined)[] = authors.map(() => undefined)
  const made = authors.map(() => 0)
  // Of each author, how many bursts their first so many transactions are.
  const counts = authors.map(() => new Map([[0, 0]]))
  const ended = authors.map(() => 0)
  const lastView: (readonly number[])[] = authors.map(() => authors.map(() => 0))
  txns.forEach(({ agent, patches }, i) => {
    const view = views[i] ?? []
    const hearsNews = authors.some(author => author !== agent && view[author] !== lastView[agent]?.[author])
    lastView[agent] = view
    let burst = open[agent]
    if (burst === undefined || hearsNews) {
      if (burst !== undefined) ended[agent] = (ended[agent] ?? 0) + 1
      const seen = authors.map(author =>
        author === agent ? (ended[agent] ?? 0) : (counts[author]?.get(view[author] ?? 0) ?? Number.NaN),
      )
      burst = { author: agent, seen, patches: [] }
      bursts.push(burst)
      open[agent] = burst
    }
    burst.patches.push(...patches)
    made[agent] = (made[agent] ?? 0) + 1
    if (!looks[agent]?.has(made[agent])) return
    open[agent] = undefined
    ended[agent] = (ended[agent] ?? 0) + 1
    counts[agent]?.set(made[agent], ended[agent])
  })
  return bursts
}
