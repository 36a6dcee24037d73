/**
 * One body, live: what all handles of a text in this tab share.
 *
 *   loading --> ready <--> rebuilding --> closed
 *
 * In `ready`, what is typed is gathered until the end of the tick and written; what comes is applied. When something
 * may have been taken out of the body, or this tab's writer was made anew while there was typing under the old one, what
 * stands is loaded. If it is all that the document holds and more, the document takes it in; else it is built again, and
 * what was typed meanwhile is typed again in it (SPEC X9). The invariant: what bears this tab's Yjs client id in the
 * document is written, or was typed in it and is to be written (live-body.ts).
 */
import {
  addToContext,
  bodyKey,
  contextCoversAll,
  emptyContext,
  RejoinError,
  yjsClientOf,
  type Applied,
  type Context,
  type DocumentKey,
  type PartName,
  type TextAnew,
  type TextDocument,
  type TextMove,
  type TextSupport,
  type WriterId,
} from '@rejoin/core'
import type { Collection } from './collection.ts'
import { writeText } from './document-writes.ts'
import type { Drafts } from './drafts.ts'
import { openLiveBody, scratchClient, type LiveBody } from './live-body.ts'
import { callBack, checkListener } from './live.ts'
import { groupUpdates } from './merged-body.ts'
import type { ReplicaCore } from './replica-core.ts'
import type { Reachable } from './write-handle.ts'

export interface TextPlace {
  readonly collection: Collection
  readonly key: DocumentKey
  readonly part: PartName
  readonly support: TextSupport
}

export interface SharedText {
  /** Resolves when the body is loaded; rejects if it cannot be. */
  readonly whenReady: Promise<void>
  /** Throws `closed` unless it is loaded. */
  document(): TextDocument
  onReplaced(listener: () => void): () => void
  /**
   * Types the same edits again, by this tab's writer, where `earlier` says what became of others that they stand on; says
   * what became of them. Throws `built-on-refused` if one stands on what nobody has any more. Call it when ready.
   */
  retype(updates: readonly Uint8Array[], earlier: readonly TextMove[]): TextMove
  /** Throws as `retype` would, and types nothing. */
  checkRetype(updates: readonly Uint8Array[], earlier: readonly TextMove[]): void
  /** Deletes what stands and types this instead. Call it when ready. */
  replace(content: string): void
  /** Resolves once nothing is left to be written, with the last write of this document, if there was one. */
  written(): Promise<Reachable | null>
  /** Takes in a change of the state. */
  update(applied: Applied): void
  /** Writes what was typed. */
  flush(): void
  close(): void
}

export function createSharedText(core: ReplicaCore, drafts: Drafts, place: TextPlace): SharedText {
  const { collection, key, part, support } = place
  const body = bodyKey(key, part)
  const listeners = new Set<() => void>()
  let live: LiveBody | null = null
  let writer: WriterId | null = null
  let last: Reachable | null = null
  /** The last chunk that made anew something of the body and that the document knows of. */
  let remadeAt = 0
  /** Whose writes the document holds, as the row says it. */
  let covered: Context = emptyContext
  let scheduled = false
  let building: Promise<void> | null = null
  /** Whether the document stands on what the state holds; until it does, what is typed waits. */
  let ready = false
  /** Whether what is being loaded is out of date already. */
  let stale = false
  let closed = false
  const whenReady = rebuild()

  function updatesInMemory(): readonly Uint8Array[] {
    const own = core.state.outbox.writesOf(key).flatMap(write => [...(write.texts.get(part) ?? [])])
    return [...core.state.bodies.updatesOf(body), ...own]
  }

  /** Builds the document anew; asked for again while it does, it begins again with what stands then. */
  function rebuild(): Promise<void> {
    ready = false
    stale = true
    building ??= build().finally(() => {
      building = null
    })
    return building
  }

  async function build(): Promise<void> {
    while (stale && !closed) {
      stale = false
      const confirmed = await core.loadBody(key, part)
      if (!stale && !closed) stand([...confirmed, ...updatesInMemory()])
    }
  }

  /** Whoever waits for the document hears of a failure; it is tried again with the next edit or change. */
  function rebuildLater(): void {
    rebuild().catch(() => undefined)
  }

  function stand(standing: readonly Uint8Array[]): void {
    const typed = live?.typed() ?? []
    const before = writer
    const client = takeClient()
    remadeAt = core.state.remade.lastOf(body)
    if (live !== null && (typed.length === 0 || writer === before) && live.holdsNoMoreThan(standing)) {
      live.document.setClient(client)
      live.take(standing)
      covered = contextNow()
      ready = true
      return flush()
    }
    const old = live
    const moves = core.state.remade.of(body)
    const again =
      typed.length === 0 ? [] : support.remake(standing, old?.logged() ?? [], moves, typed, () => client)
    live = openLiveBody(support, standing, client, schedule)
    covered = contextNow()
    ready = true
    type(again)
    if (old === null) return
    for (const listener of [...listeners]) callBack(listener, undefined)
    old.close()
  }

  /** The Yjs client id under which this tab types from now on (SPEC X7). */
  function takeClient(): number {
    writer = core.nextMark(null).writer
    return yjsClientOf(writer)
  }

  /** Puts own edits that were made beside the document into it, and writes them. */
  function type(updates: readonly TextAnew[]): void {
    if (writer !== null) live?.type(updates, yjsClientOf(writer))
    flush()
  }

  function typedAgain(updates: readonly Uint8Array[], earlier: readonly TextMove[]): readonly TextAnew[] {
    if (writer === null) throw textClosed('is not ready')
    const moves = [...core.state.remade.of(body), ...earlier]
    const client = yjsClientOf(writer)
    const again = support.remake(whole(), [], moves, updates, () => client)
    if (again.includes('lost')) throw builtOnRefused(key)
    return again
  }

  /** All that is in the document. */
  function whole(): readonly Uint8Array[] {
    return live === null ? [] : [...live.logged(), ...live.typed()]
  }

  function schedule(): void {
    if (scheduled) return
    scheduled = true
    queueMicrotask(() => {
      scheduled = false
      flush()
    })
  }

  function flush(): void {
    const typed = live?.typed() ?? []
    if (typed.length === 0 || live === null || core.closed) return
    if (!ready) {
      if (building === null) rebuildLater()
      return
    }
    // What is typed is a write of its own: it stands in the document, whatever becomes of an open transaction.
    if (drafts.isOpen()) return schedule()
    // What it was typed over is gone, and this is not told yet.
    if (remadeAt !== core.state.remade.lastOf(body)) return rebuildLater()
    const merged = groupUpdates(typed).map(group => support.merge(group))
    for (const update of merged) {
      let isWritten = false
      const { reached } = drafts.run(draft => {
        const seen = draft.row(key)
        const mark = draft.nextMark(seen)
        if (mark.writer !== writer) return
        live?.expect(update)
        covered = addToContext(covered, mark)
        draft.add(writeText({ collection, key, seen, mark }, part, [update]))
        isWritten = true
      })
      if (!isWritten) return rebuildLater()
      last = { reached }
    }
    live.wrote(typed.length, merged)
  }

  /** What changed in the row and did not come with its updates stands in the store, or is still to be fetched. */
  function takeArrivals(arrived: readonly Uint8Array[]): void {
    const isNews = live?.take(arrived) === true
    const context = contextNow()
    const isCovered = contextCoversAll(covered, context)
    covered = context
    if (!isNews && !isCovered) rebuildLater()
  }

  function contextNow(): Context {
    const cell = core.state.visible(key)?.cells.get(part)
    return cell?.strategy === 'text' ? cell.context : emptyContext
  }

  return {
    whenReady,
    document() {
      if (live === null || closed) throw textClosed('is not ready')
      return live.document
    },
    onReplaced(listener) {
      checkListener(listener)
      const own = (): void => listener()
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    checkRetype: (updates, earlier) => void typedAgain(updates, earlier),
    retype(updates, earlier) {
      const again = typedAgain(updates, earlier)
      type(again)
      return { old: updates, now: again.filter(update => update instanceof Uint8Array) }
    },
    replace(content) {
      if (writer === null) return
      const client = yjsClientOf(writer)
      const before = whole()
      const cleared = support.clear(before, client)
      const created = support.create(content, scratchClient)
      const emptied = cleared === null ? before : [...before, cleared]
      const filled = created === null ? [] : support.remake(emptied, [], [], [created], () => client)
      type(cleared === null ? filled : [cleared, ...filled])
    },
    async written() {
      while (!closed && !core.closed && (scheduled || building !== null)) await (building ?? null)
      return last
    },
    update(applied) {
      if (applied.rebuilt.has(body)) return rebuildLater()
      if (live === null) return
      // What could not be loaded is tried again: what came since is not in the document.
      if (!ready) return building === null ? rebuildLater() : undefined
      if (writer !== null && applied.writers.has(writer)) {
        if (live.typed().length > 0) return rebuildLater()
        live.document.setClient(takeClient())
      }
      const arrived = applied.arrived.get(body)
      if (arrived !== undefined || applied.changed.has(key)) takeArrivals(arrived ?? [])
    },
    flush,
    close() {
      flush()
      closed = true
      live?.close()
      listeners.clear()
    },
  }
}

export function textClosed(why: string): RejoinError<'closed'> {
  return new RejoinError('closed', { what: 'text' }, `the text ${why}; await whenReady of an open handle`)
}

function builtOnRefused(document: DocumentKey): RejoinError<'built-on-refused'> {
  return new RejoinError(
    'built-on-refused',
    { document },
    `what was typed in ${document} stands on what was refused, and nobody has that any more`,
  )
}
