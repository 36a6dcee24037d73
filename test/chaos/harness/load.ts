/**
 * Load on a relay: a client that writes with every strategy, and a ledger of what was acknowledged to it. The writes
 * are such that each can be told in any later state: ids and lines come once, numbers grow.
 */
import type { Reachable } from '@rejoin/client'
import type { Chance } from '@rejoin/testkit'
import { createGrowing, createThings, type Growing, type Things } from './acknowledged.ts'
import { readBody, type NodeClient } from './node-client.ts'

/** The document that all clients write to. */
export const sharedId = 'shared'

export interface Ledger {
  readonly documents: Things
  readonly tags: Things
  readonly lines: Things
  readonly views: Growing
  /** Of each client the number that its own document shows, once by last writer wins and once by asking. */
  readonly own: Map<string, { readonly color: Growing; readonly title: Growing }>
  readonly acknowledged: number
}

export interface Load {
  /** Writes that are made and not acknowledged. */
  readonly inFlight: number
  /** Does not begin new writes any more. */
  stop(): void
  /** What went wrong with a write, if anything did. */
  readonly fault: unknown
}

const inFlightMax = 24

export function createLedger(): Ledger {
  const documents = createThings('document')
  const tags = createThings('tag')
  const lines = createThings('line')
  const views = createGrowing('the count of views')
  const own: Ledger['own'] = new Map()
  return {
    documents,
    tags,
    lines,
    views,
    own,
    get acknowledged() {
      const owned = [...own.values()].flatMap(({ color, title }) => [color, title])
      return [documents, tags, lines, views, ...owned].reduce((sum, facts) => sum + facts.acknowledged, 0)
    },
  }
}

/** Everything that is acknowledged by now, as a check of what a replica shows later: what is wrong there. */
export function claimAll(ledger: Ledger): (client: NodeClient) => Promise<readonly string[]> {
  const documents = ledger.documents.claim()
  const tags = ledger.tags.claim()
  const lines = ledger.lines.claim()
  const views = ledger.views.claim()
  const own = Array.from(ledger.own, ([id, { color, title }]) => ({
    id,
    color: color.claim(),
    title: title.claim(),
  }))
  return async client => {
    const all = client.notes.query().get()
    const shared = client.notes.get(sharedId)
    if (shared === undefined) return ['the shared document is missing']
    const body = await readBody(client, sharedId)
    return [
      ...documents(new Set(all.map(({ id }) => id))),
      ...tags(new Set(shared.tags)),
      ...lines(new Set(body.split('\n'))),
      ...views(shared.views),
      ...own.flatMap(({ id, color, title }) => {
        const document = client.notes.get(id)
        return [...color(Number(document?.color ?? 0)), ...title(Number(document?.title ?? 0))]
      }),
    ]
  }
}

/** Begins to write, as `name`, until it is stopped. The shared document must be there. */
export async function beginLoad(
  client: NodeClient,
  name: string,
  ledger: Ledger,
  chance: Chance,
): Promise<Load> {
  const body = client.notes.text(sharedId, 'body')
  await body.whenReady
  const mine = { color: createGrowing(`${name}’s color`), title: createGrowing(`${name}’s title`) }
  const ownId = `own-${name}`
  ledger.own.set(ownId, mine)
  let serial = 0
  let inFlight = 0
  let stopped = false
  let fault: unknown = null
  const myTags = createThings('')
  const myLines = createThings('')
  const myDocuments = createThings('')

  /** What comes of one write. */
  function note(write: Reachable, ...acknowledge: readonly (() => void)[]): void {
    inFlight += 1
    write.reached('relay').then(
      () => {
        inFlight -= 1
        for (const run of acknowledge) run()
      },
      (error: unknown) => {
        inFlight -= 1
        if (!stopped) fault ??= error
      },
    )
  }

  function step(): void {
    serial += 1
    const name0 = `${name}-${serial}`
    const draw = chance.next()
    if (draw < 0.25) {
      const write = client.notes.insert({ title: name0, color: name0, tags: [name0] }, { id: name0 })
      return note(write, ledger.documents.bring(name0), myDocuments.bring(name0))
    }
    if (draw < 0.32) {
      const names = [`${name0}a`, `${name0}b`]
      const write = client.transact(tx => {
        for (const id of names) tx.notes.insert({ title: id, color: id }, { id })
      })
      return note(write, ...names.flatMap(id => [ledger.documents.bring(id), myDocuments.bring(id)]))
    }
    if (draw < 0.42) {
      const id = myDocuments.pick(chance.next())
      if (id === null) return
      myDocuments.remove(id)
      return note(client.notes.delete(id), ledger.documents.remove(id))
    }
    if (draw < 0.52) {
      return note(client.notes.update(ownId, { color: `${mine.color.written + 1}` }), mine.color.grow(1))
    }
    if (draw < 0.6) {
      return note(client.notes.update(ownId, { title: `${mine.title.written + 1}` }), mine.title.grow(1))
    }
    if (draw < 0.7) {
      const write = client.notes.update(sharedId, { tags: { add: [name0] } })
      return note(write, ledger.tags.bring(name0), myTags.bring(name0))
    }
    if (draw < 0.75) {
      const tag = myTags.pick(chance.next())
      if (tag === null) return
      myTags.remove(tag)
      return note(client.notes.update(sharedId, { tags: { remove: [tag] } }), ledger.tags.remove(tag))
    }
    if (draw < 0.88) return count(1 + chance.below(3))
    if (draw < 0.97 || myLines.pick(0) === null) {
      type(body, name0)
      return countAfterTyping(ledger.lines.bring(name0), myLines.bring(name0))
    }
    const line = myLines.pick(chance.next())
    if (line === null) return
    myLines.remove(line)
    body.text.delete(body.text.toString().indexOf(`\n${line}\n`), line.length + 1)
    countAfterTyping(ledger.lines.remove(line))
  }

  function count(by: number, ...acknowledge: readonly (() => void)[]): void {
    const write = client.notes.update(sharedId, { views: { increment: by } })
    note(write, ledger.views.grow(by), ...acknowledge)
  }

  /** Typing has no handle of its own; it becomes a write at the end of the tick, and a relay answers in order. */
  function countAfterTyping(...acknowledge: readonly (() => void)[]): void {
    setImmediate(() => {
      if (!stopped) count(1, ...acknowledge)
    })
  }

  /** A whole line at the end of some line, where nobody else’s line is torn apart by it. */
  function type({ text }: typeof body, line: string): void {
    const content = text.toString()
    const ends = [...content.matchAll(/\n/g)].map(({ index }) => index)
    text.insert(ends[chance.below(ends.length)] ?? 0, `\n${line}`)
  }

  function run(): void {
    if (stopped) return
    try {
      if (inFlight < inFlightMax) step()
    } catch (error) {
      fault ??= error
      return
    }
    setTimeout(run, chance.below(8))
  }

  note(client.notes.insert({ title: '0', color: '0' }, { id: ownId }))
  run()
  return {
    get inFlight() {
      return inFlight
    },
    stop() {
      stopped = true
      body.close()
    },
    get fault() {
      return fault
    },
  }
}
