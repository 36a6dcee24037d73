/**
 * Editors: texts that people leave open. At rest all of them show the same, in every tab, and what was typed once stands
 * there once (SPEC X9).
 */
import type { QuarantinedItem, TextHandle } from '@rejoin/client'
import { documentKey, RejoinError, type DocumentKey, type TransactionId } from '@rejoin/core'
import type { OpenTab } from '../cluster.ts'
import { documentNames } from '../schema.ts'

export interface Editors {
  /** Somebody leaves a text open. */
  keep(open: OpenTab, key: DocumentKey, handle: TextHandle): void
  /** Somebody sends again what was refused. */
  typeAgain(item: QuarantinedItem): void
  /** Somebody opens every text in these tabs. */
  openAll(tabs: readonly OpenTab[]): void
  /** At rest. */
  compare(mayRepeat: (key: DocumentKey) => boolean): string[]
}

interface Editor {
  readonly open: OpenTab
  readonly key: DocumentKey
  readonly handle: TextHandle
}

export function createEditors(): Editors {
  let editors: Editor[] = []
  const sentAgain = new Set<TransactionId>()
  /** Q3: in two tabs of which neither had heard of the other. */
  const typedTwice = new Set<DocumentKey>()

  const keep: Editors['keep'] = (open, key, handle) => void editors.push({ open, key, handle })

  return {
    keep,
    typeAgain({ id, writes }) {
      if (sentAgain.has(id)) for (const one of writes) typedTwice.add(documentKey(one.collection, one.id))
      sentAgain.add(id)
    },
    openAll(tabs) {
      for (const open of tabs) {
        for (const name of documentNames) {
          for (const { id } of open.replica[name].query().get()) {
            const handle = open.replica[name].text(id, 'body')
            // What cannot be loaded has no text below.
            handle.whenReady.catch(() => {})
            keep(open, documentKey(name, id), handle)
          }
        }
      }
    },
    compare(mayRepeat) {
      const found: string[] = []
      const first = new Map<DocumentKey, { readonly text: string; readonly name: string }>()
      editors = editors.filter(({ open }) => open.tab.scope.alive)
      for (const { open, key, handle } of editors) {
        if (open.tab.scope.frozen || !exists(open, key)) continue
        const { name } = open.device
        const text = readText(handle)
        if (text === null) {
          found.push(`[X9] the text of ${key} cannot be read in a tab of ${name}`)
          continue
        }
        const other = first.get(key)
        if (other === undefined) first.set(key, { text, name })
        else if (other.text !== text)
          found.push(`[X9] a text of ${key} in a tab of ${name} is another one than in one of ${other.name}`)
        const tokens: readonly string[] = text.match(/<\d+>/g) ?? []
        const twice = tokens.find((token, i) => tokens.indexOf(token) < i)
        if (twice !== undefined && !mayRepeat(key) && !typedTwice.has(key))
          found.push(`[X9] ${twice} stands twice in ${key} in a tab of ${name}`)
      }
      return found
    },
  }
}

function readText(handle: TextHandle): string | null {
  try {
    return String(handle.text)
  } catch (error) {
    if (error instanceof RejoinError) return null
    throw error
  }
}

function exists({ replica }: OpenTab, key: DocumentKey): boolean {
  const [name = '', id = ''] = key.split('/')
  const collection = documentNames.find(one => one === name)
  return collection !== undefined && replica[collection].get(id) !== undefined
}
