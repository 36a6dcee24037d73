/**
 * Texts: live documents over the bodies of `text` fields.
 *
 * All handles of one body in this tab share one document. What is typed becomes writes of the document, gathered by
 * tick; what arrives is applied; and when something had to be taken out of the body, the document is built again,
 * since a live Y.Doc cannot forget (SPEC X9).
 */
import {
  bodyKey,
  fieldOfPart,
  idOfKey,
  type DocumentKey,
  type PartName,
  type TextDocument,
  type TextMove,
} from '@rejoin/core'
import type { Changes } from './changes.ts'
import type { Collection } from './collection.ts'
import type { Drafts } from './drafts.ts'
import { unsupported } from './field-errors.ts'
import type { ReplicaCore } from './replica-core.ts'
import { createSharedText, textClosed, type SharedText } from './shared-text.ts'
import type { Reachable } from './write-handle.ts'

export interface TextHandle<Text = unknown, Document = unknown> {
  readonly id: string
  readonly field: string
  /** Resolves when the body is loaded. Rejects if it cannot be, or with `closed`. */
  readonly whenReady: Promise<void>
  /** The real Y.Text. Another one after `onReplaced`. Throws `closed` before `whenReady` and after `close`. */
  readonly text: Text
  /** The real Y.Doc. As `text`. */
  readonly document: Document
  /** Calls back when `text` and `document` were replaced, so that editors attach again. Returns how to stop. */
  onReplaced(listener: () => void): () => void
  /** Sends what was typed and lets go. The document closes with its last handle. */
  close(): void
}

/** The texts of a replica in this tab. */
export interface Texts {
  open(collection: Collection, key: DocumentKey, part: PartName): TextHandle
  /** Deletes what stands and types this instead, once the body is loaded. */
  replace(collection: Collection, key: DocumentKey, part: PartName, content: string): Reachable
  /** Types edits again that were refused, once the body is loaded; those too that stand on what was typed so before. */
  retype(collection: Collection, key: DocumentKey, part: PartName, updates: readonly Uint8Array[]): Reachable
  /** Resolves if that can be done as things are; rejects with `built-on-refused`, or if the body cannot be loaded. */
  checkRetype(
    collection: Collection,
    key: DocumentKey,
    part: PartName,
    updates: readonly Uint8Array[],
  ): Promise<void>
  /** Resolves once all that was typed is written. */
  close(): Promise<void>
}

interface OpenText {
  readonly shared: SharedText
  handles: number
}

export function createTexts(core: ReplicaCore, drafts: Drafts, changes: Changes): Texts {
  const texts = new Map<string, OpenText>()
  /** What became of edits that were typed again, by body. */
  const retyped = new Map<string, readonly TextMove[]>()

  const stop = changes.onUpdate(applied => {
    if (texts.size > 0) for (const { shared } of [...texts.values()]) shared.update(applied)
  })

  function share(collection: Collection, key: DocumentKey, part: PartName): OpenText {
    const body = bodyKey(key, part)
    const open = texts.get(body)
    if (open !== undefined) return open
    const support = collection.parts.find(declared => declared.part === part)?.field.text
    if (support === undefined) throw unsupported(fieldOfPart(part), `${collection.name} has no such text`)
    const made = { shared: createSharedText(core, drafts, { collection, key, part, support }), handles: 0 }
    texts.set(body, made)
    // What could not be loaded is tried again by whoever opens it next.
    made.shared.whenReady.catch(() => forget(body, made))
    return made
  }

  function forget(body: string, text: OpenText): void {
    if (texts.get(body) === text) texts.delete(body)
    text.shared.close()
  }

  function release(body: string, text: OpenText): void {
    text.handles--
    if (text.handles > 0) return
    text.shared.flush()
    // It stays until all is written, so that who opens it meanwhile does not type beside it under the same id.
    void text.shared.written().then(
      () => {
        if (text.handles === 0) forget(body, text)
      },
      () => undefined,
    )
  }

  function open(collection: Collection, key: DocumentKey, part: PartName): TextHandle {
    const text = share(collection, key, part)
    text.handles++
    return createHandle(key, part, text.shared, () => release(bodyKey(key, part), text))
  }

  /** Edits by the replica itself: once the body is there, and before anybody else can type. */
  function edit(
    place: readonly [Collection, DocumentKey, PartName],
    run: (shared: SharedText) => void,
  ): Reachable {
    const { shared } = share(...place)
    const handle = open(...place)
    const done = shared.whenReady
      .then(() => {
        run(shared)
        return shared.written()
      })
      .finally(() => handle.close())
    done.catch(() => undefined)
    return {
      async reached(level, options) {
        const written = await done
        await written?.reached(level, options)
      },
    }
  }

  return {
    open,
    replace: (collection, key, part, content) =>
      edit([collection, key, part], shared => shared.replace(content)),
    retype: (collection, key, part, updates) =>
      edit([collection, key, part], shared => {
        const body = bodyKey(key, part)
        const earlier = retyped.get(body) ?? []
        retyped.set(body, [...earlier, shared.retype(updates, earlier)])
      }),
    async checkRetype(collection, key, part, updates) {
      const { shared } = share(collection, key, part)
      const handle = open(collection, key, part)
      try {
        await shared.whenReady
        shared.checkRetype(updates, retyped.get(bodyKey(key, part)) ?? [])
      } finally {
        handle.close()
      }
    },
    async close() {
      const open = [...texts]
      for (const [, { shared }] of open) shared.flush()
      await Promise.allSettled(open.map(([, { shared }]) => shared.written()))
      stop()
      for (const [body, text] of open) forget(body, text)
    },
  }
}

function createHandle(key: DocumentKey, part: PartName, shared: SharedText, release: () => void): TextHandle {
  const stops = new Set<() => void>()
  let closed = false
  const whenReady = shared.whenReady.then(() => {
    if (closed) throw textClosed('was closed')
  })
  whenReady.catch(() => undefined)

  function document(): TextDocument {
    if (closed) throw textClosed('was closed')
    return shared.document()
  }

  return {
    id: idOfKey(key),
    field: fieldOfPart(part),
    whenReady,
    get text() {
      return document().text
    },
    get document() {
      return document().document
    },
    onReplaced(listener) {
      const stop = shared.onReplaced(listener)
      stops.add(stop)
      return stop
    },
    close() {
      if (closed) return
      closed = true
      for (const stop of stops) stop()
      release()
    },
  }
}
