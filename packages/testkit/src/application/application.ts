/**
 * A simulated application: people who write into random documents of one space through the public surface. What they
 * wrote and were told goes into the log; what a call wrote must be what `get` shows when it returns (SPEC W1).
 */
import { RejoinError, type DocumentKey } from '@rejoin/core'
import type { Cluster, OpenTab } from '../cluster.ts'
import type { Eyes } from '../eyes.ts'
import type { Logged } from '../log.ts'
import { documentNames, type DocumentName } from '../schema.ts'
import { watchConflicts } from '../watch/conflicts.ts'
import type { Editors } from '../watch/editors.ts'
import { checkHonesty } from '../watch/honesty.ts'
import { createAuthor } from './author.ts'
import { createDocuments, documentIds } from './documents.ts'
import { forbidden } from './effects.ts'
import { writePair } from './pairs.ts'
import { settleConflict, settleQuarantine } from './settling.ts'
import { type } from './typing.ts'

export interface Application {
  readonly space: string
  /** Tabs of the cluster, as far as this application is open in them. */
  readonly tabs: readonly OpenTab[]
  readonly log: readonly Logged[]
  readonly eyes: Eyes
  readonly editors: Editors
  /** Promises that were found broken at once. */
  readonly findings: string[]
  /** What must be so of every tab at every step. */
  inspect(): void
  /** Somebody does something in this tab. */
  act(open: OpenTab): void
}

export function createApplication(cluster: Cluster, space: string): Application {
  const { chance } = cluster
  const author = createAuthor(cluster, space)
  const { eyes, expectShown } = author
  const watch = watchConflicts(author)
  const { insert, update, glance, remove, bringBack } = createDocuments(author)

  /** Something that is refused, and at once more that stands on it (SPEC L3, W6). */
  function burst(open: OpenTab, name: DocumentName, id: string): void {
    const color = `${forbidden} ${author.next}`
    if (open.replica[name].get(id) === undefined) insert(open, name, id, color)
    else update(open, name, id, color)
    eyes.look(open)
    for (let more = 1 + chance.below(3); more > 0; more--) {
      if (chance.chance(0.3)) type(author, open, name, id)
      else expectShown(open, name, id, update(open, name, id))
    }
  }

  function actIn(open: OpenTab, name: DocumentName, id: string, roll: number): void {
    if (roll < 0.1) return writePair(author, open)
    if (roll < 0.15) return settleConflict(author, open)
    if (roll < 0.17) return settleQuarantine(author, open)
    if (roll < 0.22) return burst(open, name, id)
    if (open.replica[name].get(id) === undefined) {
      const entry = chance.chance(0.4) ? bringBack(open, name, id) : null
      return expectShown(open, name, id, entry ?? insert(open, name, id))
    }
    if (roll < 0.31) return expectShown(open, name, id, remove(open, name, id))
    if (roll < 0.46) return type(author, open, name, id)
    if (roll < 0.52 && !open.isNarrow) return glance(open, name, id)
    expectShown(open, name, id, update(open, name, id))
  }

  return {
    space,
    get tabs() {
      return cluster.tabs.filter(open => open.space === space)
    },
    log: author.log,
    eyes,
    editors: author.editors,
    findings: author.findings,
    inspect() {
      for (const open of cluster.tabs) {
        if (open.space !== space || open.tab.scope.frozen) continue
        const known = (key: DocumentKey): ReadonlySet<string> => eyes.known(open, key)
        eyes.look(open)
        watch(open, known)
        const status = open.replica.status.get()
        if (status.synced) author.causality.level(open, known)
        author.findings.push(...checkHonesty(open, status, author.log))
      }
    },
    act(open) {
      const name = chance.pick(documentNames)
      const id = chance.pick(documentIds)
      const roll = chance.next()
      eyes.look(open)
      const before = author.log.length
      try {
        actIn(open, name, id, roll)
      } catch (error) {
        // A tab whose store is gone says so, and one that shows what came just now a moment later; anything else is a bug.
        if (!(error instanceof RejoinError)) throw error
        for (const entry of author.log.slice(before)) if (entry.together.length === 0) author.withdraw(entry)
      }
    },
  }
}
