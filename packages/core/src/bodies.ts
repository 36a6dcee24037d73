/**
 * The bodies of texts, as far as they are in memory: confirmed updates that came since pages were written. What is
 * older stands in the store of texts and is loaded when a body is opened (SPEC X8).
 */
import type { DocumentKey, PartName } from './row.ts'

export interface BodyUpdates {
  readonly key: DocumentKey
  readonly part: PartName
  readonly updates: readonly Uint8Array[]
}

export interface Bodies {
  add(body: string, updates: readonly Uint8Array[], position: number): void
  /** Updates in memory, oldest first. */
  updatesOf(body: string): readonly Uint8Array[]
  /** Bodies with updates up to a position, and only these updates, for writing them beside pages. */
  upTo(position: number): readonly BodyUpdates[]
  /**
   * D2: a document was forgotten. What the store of texts has of it is of what was before, so that is no part of what it
   * may have again; until pages are written, which take it away.
   */
  forget(key: DocumentKey, position: number): void
  isForgotten(key: DocumentKey): boolean
  /** Documents that were forgotten up to a position, be they back or not. */
  forgottenUpTo(position: number): readonly DocumentKey[]
  /** Drops updates that stand in the store of texts now. */
  written(upTo: number): void
  clear(): void
}

/** A body's key in memory and on disk. */
export function bodyKey(key: DocumentKey, part: PartName): string {
  return `${part}\n${key}`
}

export function splitBodyKey(body: string): { readonly key: DocumentKey; readonly part: PartName } {
  const at = body.indexOf('\n')
  return { part: body.slice(0, at) as PartName, key: body.slice(at + 1) as DocumentKey }
}

export function createBodies(): Bodies {
  const held = new Map<string, { readonly update: Uint8Array; readonly position: number }[]>()
  const forgotten = new Map<DocumentKey, number>()
  return {
    add(body, updates, position) {
      let list = held.get(body)
      if (list === undefined) held.set(body, (list = []))
      for (const update of updates) list.push({ update, position })
    },
    updatesOf: body => (held.get(body) ?? []).map(({ update }) => update),
    upTo(position) {
      const found: BodyUpdates[] = []
      for (const [body, list] of held) {
        const updates = list.filter(entry => entry.position <= position).map(({ update }) => update)
        if (updates.length > 0) found.push({ ...splitBodyKey(body), updates })
      }
      return found
    },
    forget(key, position) {
      forgotten.set(key, position)
      for (const body of held.keys()) if (body.endsWith(`\n${key}`)) held.delete(body)
    },
    isForgotten: key => forgotten.has(key),
    forgottenUpTo: position => [...forgotten].flatMap(([key, at]) => (at <= position ? [key] : [])),
    written(upTo) {
      for (const [key, at] of forgotten) if (at <= upTo) forgotten.delete(key)
      for (const [body, list] of held) {
        const rest = list.filter(entry => entry.position > upTo)
        if (rest.length === 0) held.delete(body)
        else held.set(body, rest)
      }
    },
    clear() {
      held.clear()
      forgotten.clear()
    },
  }
}
