/**
 * Causality: who is shown a write is shown what its author had seen (session guarantees: writes follow reads, and an
 * author's writes come in order). Of one document always; of all of them where a tab says that it is level with the
 * only relay.
 */
import type { DocumentKey } from '@rejoin/core'
import { isToBlame, mayComeLater } from '../application/effects.ts'
import type { Cluster, OpenTab } from '../cluster.ts'
import type { Logged } from '../log.ts'
import { documentNames } from '../schema.ts'

export interface Causality {
  /** How many tokens a tab has been shown so far. */
  sights(open: OpenTab): number
  /** A tab is shown a token for the first time, among all that its document shows. */
  shown(open: OpenTab, key: DocumentKey, token: string, now: ReadonlySet<string>): void
  /** A tab says that it is level. */
  level(open: OpenTab, known: (key: DocumentKey) => ReadonlySet<string>): void
}

export function createCausality(cluster: Cluster, log: readonly Logged[], findings: string[]): Causality {
  const sightsOf = new WeakMap<OpenTab, string[]>()
  /** Up to where a tab's sights were looked through while it was level. */
  const looked = new WeakMap<OpenTab, number>()
  const byToken = new Map<string, Logged>()
  let indexed = 0

  function entryOf(token: string): Logged | undefined {
    for (; indexed < log.length; indexed++) {
      const entry = log[indexed]
      if (entry !== undefined) byToken.set(entry.token, entry)
    }
    return byToken.get(token)
  }

  function listOf(open: OpenTab): string[] {
    let list = sightsOf.get(open)
    if (list === undefined) sightsOf.set(open, (list = []))
    return list
  }

  /** Whether a write need not have come with one that was built on it: it was refused, perhaps while nobody was told, or is lost. */
  function mayBeMissing(entry: Logged | undefined): boolean {
    if (entry === undefined || entry.refused !== null || entry.discarded || entry.gone) return true
    if (isToBlame(entry) || (!entry.local && !entry.relay)) return true
    // It was in a quarantine of which an older image of its disk knows nothing, and so it is sent again.
    if (cluster.remakes.wasRefused(entry.token)) return true
    if (log.some(({ blind, key }) => blind && key === entry.key)) return true
    if (cluster.mayNotComeBack(entry.tab.space, entry.key)) return true
    // A copy of its device may be the one that submits it, and is told.
    const own = cluster.tabs.filter(
      ({ device, space }) => device.user === entry.device.user && space === entry.tab.space,
    )
    const isAway = own.every(({ device }) => device !== entry.device)
    return isAway || own.some(open => isInQuarantine(open, entry.token))
  }

  /** C4: what stands on marks that a slow relay refuses waits until that takes them, and with it only what touches its documents. */
  function waitsForClock(earlier: Logged, later: Logged | undefined): boolean {
    if (earlier.relay || earlier.together.some(({ key }) => key === later?.key)) return false
    return cluster.relays.some(({ slowUntil }) => slowUntil > earlier.at)
  }

  function expectAll(
    open: OpenTab,
    token: string,
    before: Iterable<string>,
    isShown: (one: Logged) => boolean,
  ): void {
    for (const one of before) {
      const entry = entryOf(one)
      if (entry === undefined || isShown(entry) || mayBeMissing(entry)) continue
      if (wasPassed(entry, entryOf(token)) || waitsForClock(entry, entryOf(token))) continue
      findings.push(
        `[V6] a tab of ${open.device.name} shows ${token} and not ${one} of ${entry.key}, which its author had seen`,
      )
    }
  }

  return {
    sights: open => listOf(open).length,
    shown(open, key, token, now) {
      listOf(open).push(token)
      const entry = entryOf(token)
      if (entry !== undefined) expectAll(open, token, entry.saw, one => now.has(one.token) || one.key !== key)
    },
    level(open, known) {
      if (cluster.relays.length > 1) return
      const list = listOf(open)
      const from = looked.get(open) ?? 0
      looked.set(open, list.length)
      for (const token of list.slice(from)) {
        const entry = entryOf(token)
        if (entry === undefined) continue
        const before = listOf(entry.tab).slice(0, entry.sights)
        const isShown = ({ key, token: one }: Logged): boolean =>
          known(key).has(one) || !exists(open, key) || mayComeLater(cluster, log, key)
        expectAll(open, token, before, isShown)
      }
    },
  }
}

/** W1: of what a page handed over as it went away, a full disk may have taken the later and not the earlier. */
function wasPassed(earlier: Logged, later: Logged | undefined): boolean {
  if (later?.tab !== earlier.tab || !earlier.tab.tab.wasPutAway) return false
  return !earlier.local || (later.local && earlier.localAt >= later.localAt)
}

function exists({ replica }: OpenTab, key: DocumentKey): boolean {
  const [name = '', id = ''] = key.split('/')
  const collection = documentNames.find(one => one === name)
  return collection !== undefined && replica[collection].get(id) !== undefined
}

function isInQuarantine({ replica }: OpenTab, token: string): boolean {
  return replica.quarantine
    .get()
    .some(({ writes }) =>
      writes.some(({ values }) => (values['log'] as readonly string[] | undefined)?.includes(token)),
    )
}
