/**
 * A simulated application: people who write into random documents through the public surface, and a log of what they
 * wrote and what they were told about it. The log is the oracle: it knows nothing of marks, rows or feeds.
 */
import { documentKey, RejoinError, type DocumentKey, type ErrorCode } from '@rejoin/core'
import type { WriteHandle } from '@rejoin/client'
import type { Cluster, OpenTab } from './cluster.ts'
import type { SimulatedDevice } from './device.ts'
import type { SimulatedCollections } from './schema.ts'

/** One write, as its author knows it. */
export interface Logged {
  /** In the document's `log`, or, of text, a token in its body. */
  readonly token: string
  readonly device: SimulatedDevice
  readonly key: DocumentKey
  readonly kind: 'log' | 'text'
  local: boolean
  relay: boolean
  /** Why it was put into the quarantine. */
  refused: ErrorCode | null
}

export interface Application {
  readonly log: readonly Logged[]
  /** Somebody does something in this tab. */
  act(open: OpenTab): void
}

const ids = ['a', 'b', 'c', 'd'] as const
const names = ['notes', 'drafts', 'plans'] as const
/** A colour that relays refuse where the rule is on. */
export const refusedColor = 'forbidden'

export function createApplication(cluster: Cluster): Application {
  const { chance } = cluster
  const log: Logged[] = []
  let count = 0

  function follow(entry: Logged, handle: Pick<WriteHandle, 'reached'>): void {
    const note = (error: unknown): void => {
      if (error instanceof RejoinError && error.code !== 'closed') entry.refused = error.code
    }
    handle.reached('local').then(() => {
      entry.local = true
    }, note)
    handle.reached('relay').then(() => {
      entry.relay = true
    }, note)
  }

  function enter(open: OpenTab, key: DocumentKey, kind: Logged['kind']): Logged {
    const token = `${kind === 'text' ? '<' : 'w'}${++count}${kind === 'text' ? '>' : ''}`
    const entry: Logged = { token, device: open.device, key, kind, local: false, relay: false, refused: null }
    log.push(entry)
    return entry
  }

  function insert(open: OpenTab, name: keyof SimulatedCollections, id: string): void {
    const entry = enter(open, documentKey(name, id), 'log')
    const handle = open.replica[name].insert(
      {
        title: `title ${count}`,
        color: `color ${count}`,
        tags: [chance.pick(ids)],
        views: 1,
        log: [entry.token],
        ...(chance.chance(0.5) ? { body: `begun ${count}. ` } : {}),
      },
      { id },
    )
    follow(entry, handle)
  }

  function update(open: OpenTab, name: keyof SimulatedCollections, id: string): void {
    const entry = enter(open, documentKey(name, id), 'log')
    const add = { add: [entry.token] }
    const documents = open.replica[name]
    const patches = [
      () => documents.update(id, { title: `title ${count}`, log: add }),
      () => documents.update(id, { color: chance.chance(0.1) ? refusedColor : `color ${count}`, log: add }),
      () => documents.update(id, { tags: { add: [chance.pick(ids)] }, log: add }),
      () => documents.update(id, { tags: { remove: [chance.pick(ids)] }, log: add }),
      () => documents.update(id, { views: { increment: 1 }, log: add }),
    ]
    follow(entry, chance.pick(patches)())
  }

  /** What was typed is a write that nobody has a handle of: it is on disk after a while in which the disk took writes. */
  function awaitDisk(open: OpenTab, entry: Logged, good: number): void {
    if (good === 0) {
      entry.local = true
      return
    }
    // A write that met a full disk is tried again after seconds.
    open.tab.scope.after(good === 3 ? 200 : 5000, () =>
      awaitDisk(open, entry, open.device.disk.failing ? 3 : good - 1),
    )
  }

  function type(open: OpenTab, name: keyof SimulatedCollections, id: string): void {
    const handle = open.replica[name].text(id, 'body')
    handle.whenReady.then(
      () => {
        if (!open.tab.scope.alive) return
        const entry = enter(open, documentKey(name, id), 'text')
        const { text } = handle
        text.insert(chance.below(text.length + 1), entry.token)
        handle.close()
        awaitDisk(open, entry, 3)
      },
      () => {},
    )
  }

  function settleConflict(open: OpenTab): void {
    const conflict = open.replica.conflicts.get()[0]
    if (conflict !== undefined && conflict.kind === 'field')
      open.replica.conflicts.resolve(conflict, { pick: 0 })
  }

  return {
    log,
    act(open) {
      const name = chance.pick(names)
      const id = chance.pick(ids)
      const documents = open.replica[name]
      const exists = documents.get(id) !== undefined
      const roll = chance.next()
      try {
        if (!exists) insert(open, name, id)
        else if (roll < 0.12) documents.delete(id)
        else if (roll < 0.3) type(open, name, id)
        else if (roll < 0.36) settleConflict(open)
        else update(open, name, id)
      } catch (error) {
        // A tab whose store is gone says so; anything else is a bug.
        if (!(error instanceof RejoinError)) throw error
      }
    },
  }
}
