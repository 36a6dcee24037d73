/**
 * A simulated application: people who write into random documents through the public surface. What they wrote and were
 * told goes into the log; what a call wrote must be what `get` shows when it returns (SPEC W1).
 */
import type { Conflict, WriteHandle } from '@rejoin/client'
import { documentKey, RejoinError, type DocumentKey } from '@rejoin/core'
import type { Cluster, OpenTab } from './cluster.ts'
import type { SimulatedDevice } from './device.ts'
import { createEyes, type Eyes } from './eyes.ts'
import type { Effect, Logged } from './log.ts'
import { tokensOfRow } from './oracle.ts'
import { documentNames, pairIds, type DocumentName } from './schema.ts'

export interface Application {
  readonly log: readonly Logged[]
  readonly eyes: Eyes
  /** Promises that were found broken at once. */
  readonly findings: string[]
  /** Somebody opens a tab. Null if it dies meanwhile. */
  open(device: SimulatedDevice): Promise<OpenTab | null>
  /** Somebody does something in this tab. */
  act(open: OpenTab): void
}

const ids = ['a', 'b', 'c', 'd'] as const
/** How a colour begins that relays refuse where the rule is on. */
const forbidden = 'forbidden'

export function isForbidden(color: unknown): boolean {
  return typeof color === 'string' && color.startsWith(forbidden)
}

/** For so long after an image was put back, an acknowledgement may be of what was before. */
const restoredMs = 60_000

type Reached = Pick<WriteHandle, 'reached'>

export function createApplication(cluster: Cluster): Application {
  const { chance, clock } = cluster
  const log: Logged[] = []
  const findings: string[] = []
  const eyes = createEyes(cluster, log, findings)
  let count = 0

  function follow(entries: readonly Logged[], handle: Reached): void {
    const note = (error: unknown): void => {
      // What else a promise can end with says nothing of what became of the write.
      if (!(error instanceof RejoinError) || /^(closed|storage-|ack-)/.test(error.code)) return
      for (const entry of entries) entry.refused = error.code
    }
    handle.reached('local').then(() => {
      for (const entry of entries) {
        entry.local = true
        entry.localAt = clock.time
      }
    }, note)
    handle.reached('relay').then(async () => {
      for (const entry of entries) entry.relay = true
      for (const entry of entries) if (entry.token !== '') await expectOnDisk(entry)
    }, note)
  }

  /** A1: what is told to be on a relay is on a relay's disk, unless an older image has taken its place since. */
  async function expectOnDisk({ key, token }: Logged): Promise<void> {
    for (const relay of cluster.relays) {
      if (clock.time - relay.restoredAt < restoredMs) return
      const held = (await relay.store.rows('space', [key])).get(key)
      if (held !== undefined && tokensOfRow(held.row).has(token)) return
    }
    findings.push(`[A1] ${token} of ${key} is told to be on a relay, and is on none`)
  }

  function enter(
    open: OpenTab,
    key: DocumentKey,
    kind: Logged['kind'],
    effects: readonly Effect[],
    hasToken: boolean = true,
  ): Logged {
    count += 1
    const name = kind === 'text' ? `<${count}>` : `w${count}`
    const known = eyes.known(open, key)
    const entry: Logged = {
      token: hasToken ? name : '',
      device: open.device,
      tab: open,
      key,
      kind,
      effects,
      saw: new Set(known),
      blind: false,
      at: clock.time,
      local: false,
      localAt: 0,
      relay: false,
      refused: null,
      discarded: false,
      erased: false,
    }
    log.push(entry)
    return entry
  }

  /** What was written is seen at once. */
  function expectShown(open: OpenTab, name: DocumentName, id: string, entry: Logged): void {
    const shown: Shown | undefined = open.replica[name].get(id)
    const key = documentKey(name, id)
    const wrong = wrongAtOnce(shown, entry)
    if (wrong !== null) findings.push(`[W1] ${entry.token} of ${key} does not show at once: ${wrong}`)
    eyes.look(open)
  }

  function insert(open: OpenTab, name: DocumentName, id: string, only: string | null = null): Logged {
    const key = documentKey(name, id)
    const wasDeleted = log.some(entry => entry.key === key && entry.effects.some(isDeletion))
    const color = only ?? `color ${count + 1}`
    const tag = chance.pick(ids)
    const { isNarrow } = open
    const effects: Effect[] = [
      { field: 'document', how: 'insert' },
      { field: 'title', value: `title ${count + 1}`, decides: null },
      { field: 'color', value: color },
    ]
    if (!isNarrow) effects.push({ field: 'tags', element: tag, how: 'add' }, { field: 'views', amount: 1 })
    const entry = enter(open, key, 'log', effects)
    entry.blind = wasDeleted
    const wide = isNarrow ? {} : { tags: [tag], views: 1 }
    const body = chance.chance(0.5) ? { body: `begun ${count}. ` } : {}
    const input = { title: `title ${count}`, color, log: [entry.token], ...wide, ...body }
    follow([entry], open.replica[name].insert(input as never, { id }))
    return entry
  }

  /** Something that is refused, and at once more that stands on it (SPEC L3, W6). */
  function burst(open: OpenTab, name: DocumentName, id: string): void {
    const documents = open.replica[name]
    if (documents.get(id) === undefined) insert(open, name, id, `${forbidden} ${count + 1}`)
    else update(open, name, id, `${forbidden} ${count + 1}`)
    eyes.look(open)
    for (let more = 1 + chance.below(3); more > 0; more--) {
      if (chance.chance(0.3)) type(open, name, id)
      else expectShown(open, name, id, update(open, name, id))
    }
  }

  function update(open: OpenTab, name: DocumentName, id: string, only: string | null = null): Logged {
    const next = `${count + 1}`
    const tag = chance.pick(ids)
    const color = only ?? (chance.chance(0.1) ? `${forbidden} ${next}` : `color ${next}`)
    const amount = chance.chance(0.3) ? -2 : 3
    const choices: (readonly [Effect, object])[] = [
      [{ field: 'title', value: `title ${next}`, decides: null }, { title: `title ${next}` }],
      [{ field: 'color', value: color }, { color }],
    ]
    if (only !== null) choices.shift()
    else if (!open.isNarrow) {
      choices.push(
        [{ field: 'tags', element: tag, how: 'add' }, { tags: { add: [tag] } }],
        [{ field: 'tags', element: tag, how: 'remove' }, { tags: { remove: [tag] } }],
        [{ field: 'views', amount }, { views: { increment: amount } }],
      )
    }
    const [effect, patch] = chance.pick(choices)
    const entry = enter(open, documentKey(name, id), 'log', [effect])
    follow([entry], open.replica[name].update(id, { ...patch, log: { add: [entry.token] } } as never))
    return entry
  }

  /** In a transaction with its token, so that it is known what became of it; or alone, as most applications delete. */
  function remove(open: OpenTab, name: DocumentName, id: string): Logged {
    const documents = open.replica[name]
    const isAlone = chance.chance(0.3)
    const entry = enter(open, documentKey(name, id), 'log', [{ field: 'document', how: 'delete' }], !isAlone)
    const handle = isAlone
      ? documents.delete(id)
      : open.replica.transact(() => {
          documents.update(id, { log: { add: [entry.token] } })
          documents.delete(id)
        })
    follow([entry], handle)
    return entry
  }

  function bringBack(open: OpenTab, name: DocumentName, id: string): Logged | null {
    const documents = open.replica[name]
    let entry: Logged | null = null
    try {
      const handle = open.replica.transact(() => {
        documents.undelete(id)
        entry = enter(open, documentKey(name, id), 'log', [{ field: 'document', how: 'undelete' }])
        documents.update(id, { log: { add: [entry.token] } })
      })
      if (entry !== null) follow([entry], handle)
    } catch (error) {
      if (entry !== null) log.splice(log.indexOf(entry), 1)
      if (!(error instanceof RejoinError)) throw error
      entry = null
    }
    return entry
  }

  /** Both halves of a pair, or both and a document: seen together or not at all (SPEC W2). */
  function writePair(open: OpenTab): void {
    const { pairs } = open.replica
    const value = `pair ${count + 1}`
    const entries: Logged[] = []
    const handle = open.replica.transact(() => {
      for (const id of pairIds) {
        const entry = enter(open, documentKey('pairs', id), 'log', [])
        entries.push(entry)
        if (pairs.get(id) === undefined) pairs.insert({ value, log: [entry.token] }, { id })
        else pairs.update(id, { value, log: { add: [entry.token] } })
      }
      const name = chance.pick(documentNames)
      const id = chance.pick(ids)
      if (open.replica[name].get(id) === undefined || chance.chance(0.5)) return
      const effect: Effect = { field: 'title', value: `title of ${value}`, decides: null }
      const entry = enter(open, documentKey(name, id), 'log', [effect])
      entries.push(entry)
      open.replica[name].update(id, { title: effect.value, log: { add: [entry.token] } })
    })
    follow(entries, handle)
    for (const id of pairIds)
      if (pairs.get(id)?.value !== value) findings.push(`[W1] ${value} does not show at once in pairs/${id}`)
    eyes.look(open)
  }

  /** What was typed is a write that nobody has a handle of: it is on disk after a while in which the disk took writes. */
  function awaitDisk(open: OpenTab, done: () => void, good: number): void {
    if (good === 0) return done()
    // A write that met a full disk is tried again after seconds.
    open.tab.scope.after(good === 3 ? 200 : 5000, () =>
      awaitDisk(open, done, open.device.disk.failing ? 3 : good - 1),
    )
  }

  function type(open: OpenTab, name: DocumentName, id: string): void {
    const handle = open.replica[name].text(id, 'body')
    // A second editor on the same text, which sees the same and may be the one that types.
    const second = chance.chance(0.3) ? open.replica[name].text(id, 'body') : null
    const key = documentKey(name, id)
    handle.whenReady.then(
      () => {
        if (!open.tab.scope.alive) return
        const { text } = second ?? handle
        const content = String(text)
        const own = log.filter(
          entry =>
            entry.kind === 'text' &&
            entry.key === key &&
            entry.device === open.device &&
            !entry.erased &&
            content.includes(entry.token),
        )
        const old = own.length > 0 && chance.chance(0.3) ? chance.pick(own) : null
        if (old === null) {
          const entry = enter(open, key, 'text', [])
          text.insert(chance.below(text.length + 1), entry.token)
          awaitDisk(open, () => (entry.local = true), 3)
        } else {
          old.erased = true
          text.delete(content.indexOf(old.token), old.token.length)
        }
        if (second !== null && String(handle.text) !== String(second.text))
          findings.push(`two handles of ${key} show different texts`)
        second?.close()
        handle.close()
      },
      () => {},
    )
  }

  function settleConflict(open: OpenTab): void {
    const conflict: Conflict | undefined = open.replica.conflicts.get()[0] as Conflict | undefined
    if (conflict === undefined) return
    const key = documentKey(conflict.collection, conflict.id)
    const documents = open.replica[conflict.collection as DocumentName]
    if (conflict.kind === 'deletion') {
      const isKept = chance.chance(0.5)
      const entry = enter(
        open,
        key,
        'log',
        [{ field: 'document', how: isKept ? 'undelete' : 'delete' }],
        isKept,
      )
      const handle = open.replica.transact(() => {
        open.replica.conflicts.resolve(conflict as never, { value: isKept ? 'keep' : 'delete' } as never)
        if (isKept) documents.update(conflict.id, { log: { add: [entry.token] } })
      })
      // It decides over what was shown; of what came since, its author knows nothing.
      entry.blind = true
      return follow([entry], handle)
    }
    const isPicked = chance.chance(0.3)
    const sides = conflict.sides.map(({ value }) => String(value))
    const value = isPicked ? (sides[0] ?? '') : `title ${count + 1}`
    const effect: Effect = { field: 'title', value, decides: [...sides].sort().join(' | ') }
    const entry = enter(open, key, 'log', [effect])
    const handle = open.replica.transact(() => {
      const { outcome } = open.replica.conflicts.resolve(
        conflict as never,
        (isPicked ? { pick: 0 } : { value }) as never,
      )
      documents.update(conflict.id, { log: { add: [entry.token] } })
      if (outcome === 'already-settled') findings.push(`[K3] a conflict of ${key} that is shown is settled`)
    })
    follow([entry], handle)
  }

  function settleQuarantine(open: OpenTab): void {
    const item = open.replica.quarantine.get()[0]
    if (item === undefined) return
    const tokens = new Set(item.writes.flatMap(({ values }) => tokensIn(values['log'])))
    const entries = log.filter(entry => tokens.has(entry.token))
    const settled: Promise<unknown> = chance.chance(0.4)
      ? open.replica.quarantine.discard(item.id).then(() => {
          for (const entry of entries) entry.discarded = true
        })
      : open.replica.quarantine.sendAgain(item.id)
    for (const entry of entries) {
      entry.blind = true
      entry.discarded = true
    }
    settled.catch((error: unknown) => {
      if (!(error instanceof RejoinError)) throw error
    })
  }

  return {
    log,
    eyes,
    findings,
    async open(device) {
      const open = await cluster.openTab(device)
      if (open?.replica.status.get().persistence === 'memory') {
        // Its disk was full when it was opened. Who sees that waits until there is room, and loads the page again.
        open.tab.scope.kill()
        return null
      }
      if (open !== null) eyes.watch(open)
      return open
    },
    act(open) {
      const name = chance.pick(documentNames)
      const id = chance.pick(ids)
      const documents = open.replica[name]
      const shown = documents.get(id)
      const roll = chance.next()
      eyes.look(open)
      try {
        if (roll < 0.1) writePair(open)
        else if (roll < 0.15) settleConflict(open)
        else if (roll < 0.17) settleQuarantine(open)
        else if (roll < 0.22) burst(open, name, id)
        else if (shown === undefined) {
          const entry = chance.chance(0.4) ? bringBack(open, name, id) : null
          expectShown(open, name, id, entry ?? insert(open, name, id))
        } else if (roll < 0.31) expectShown(open, name, id, remove(open, name, id))
        else if (roll < 0.46) type(open, name, id)
        else expectShown(open, name, id, update(open, name, id))
      } catch (error) {
        // A tab whose store is gone says so; anything else is a bug.
        if (!(error instanceof RejoinError)) throw error
      }
    },
  }
}

export function isDeletion(effect: Effect): boolean {
  return effect.field === 'document' && effect.how === 'delete'
}

export function tokensIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(one => typeof one === 'string') : []
}

interface Shown {
  readonly title: string
  readonly color: string
  readonly tags?: readonly string[]
  readonly log: readonly string[]
}

function wrongAtOnce(shown: Shown | undefined, { token, effects }: Logged): string | null {
  if (effects.some(isDeletion)) return shown === undefined ? null : 'it is still there'
  if (shown === undefined) return 'it is not there'
  if (!shown.log.includes(token)) return 'its token is not in the log'
  for (const effect of effects) {
    if (effect.field === 'title' && shown.title !== effect.value) return `the title is ${shown.title}`
    if (effect.field === 'color' && shown.color !== effect.value) return `the color is ${shown.color}`
    if (effect.field === 'tags' && (shown.tags ?? []).includes(effect.element) !== (effect.how === 'add'))
      return `the tags are ${shown.tags}`
  }
  return null
}
