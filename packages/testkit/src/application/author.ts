/**
 * What all that people do shares: every write is entered into the log with what its author saw, followed through its
 * levels, and must show at once.
 */
import type { WriteHandle } from '@rejoin/client'
import { documentKey, RejoinError, type DocumentKey } from '@rejoin/core'
import type { Cluster, OpenTab } from '../cluster.ts'
import { createEyes, type Eyes } from '../eyes.ts'
import type { AskField, Effect, Logged } from '../log.ts'
import { tokensOfRow } from '../oracle.ts'
import type { DocumentName } from '../schema.ts'
import { createCausality, type Causality } from '../watch/causality.ts'
import { createEditors, type Editors } from '../watch/editors.ts'
import { firstNumber } from '../watch/leaks.ts'
import { isAsked, isDeletion } from './effects.ts'

export interface Author {
  readonly cluster: Cluster
  readonly space: string
  readonly log: Logged[]
  readonly findings: string[]
  readonly eyes: Eyes
  readonly causality: Causality
  readonly editors: Editors
  /** The number of the next write. */
  readonly next: number
  /** Enters a write that is about to be made. */
  enter(
    open: OpenTab,
    key: DocumentKey,
    kind: Logged['kind'],
    effects: readonly Effect[],
    hasToken?: boolean,
  ): Logged
  /** Takes back what was entered and came to nothing. */
  withdraw(entry: Logged): void
  /** Notes what becomes of writes that one call made. */
  follow(entries: readonly Logged[], handle: Pick<WriteHandle, 'reached'>): void
  /** What was written is seen at once. */
  expectShown(open: OpenTab, name: DocumentName, id: string, entry: Logged): void
}

/** For so long after an image was put back, an acknowledgement may be of what was before. */
const restoredMs = 60_000
/** So long after it heard that there is no such level. */
const askAgainMs = 500

export function createAuthor(cluster: Cluster, space: string): Author {
  const { clock } = cluster
  const log: Logged[] = []
  const findings: string[] = []
  const causality = createCausality(cluster, log, findings)
  const eyes = createEyes(cluster, space, log, findings, causality.shown)
  let count = firstNumber(cluster.spaces, space)

  /** A1, A3: what is told to be on so many relays is on their disks, unless an older image has taken one's place since. */
  async function expectOnDisks({ key, token, at }: Logged, least: number): Promise<void> {
    let count = 0
    for (const relay of cluster.relays) {
      // Where relays know nothing of each other, who does not meet one again does not hear of it (A3).
      if (clock.time - relay.restoredAt < restoredMs || (cluster.areApart && relay.restoredAt >= at)) return
      const held = (await relay.store.rows(space, [key])).get(key)
      if (held !== undefined && tokensOfRow(held.row).has(token)) count += 1
    }
    const rule = least === 1 ? 'A1' : 'A3'
    if (count < least)
      findings.push(`[${rule}] ${token} of ${key} is told to be on ${least} relays, and is on ${count}`)
  }

  /** Who may only read is offered no level (SPEC Q4), and asks again. Whether that was so. */
  async function reachedOnce(
    level: 'relay' | 'quorum',
    entries: readonly Logged[],
    handle: Pick<WriteHandle, 'reached'>,
  ): Promise<boolean> {
    for (let isAgain = false; ; isAgain = true) {
      try {
        await handle.reached(level)
        return isAgain
      } catch (error) {
        const isAskedInVain = error instanceof RejoinError && error.code === 'ack-unavailable'
        if (!isAskedInVain || entries.every(({ device }) => !cluster.readers.wasOne(device.user))) throw error
      }
      for (const entry of entries) entry.asksAgain = true
      // By the clock of its tab: one that is gone asks no more.
      await new Promise<void>(resolve => void entries[0]?.tab.tab.scope.after(askAgainMs, resolve))
      for (const entry of entries) entry.asksAgain = false
    }
  }

  /** Which levels there are is known by now. Who loses sight of where a relay had it is not told. */
  function followToQuorum(entries: readonly Logged[], handle: Pick<WriteHandle, 'reached'>): void {
    reachedOnce('quorum', entries, handle).then(
      async () => {
        for (const entry of entries) entry.quorum = true
        for (const entry of entries)
          if (entry.token !== '') await expectOnDisks(entry, cluster.copiesAtQuorum)
      },
      (error: unknown) => {
        if (error instanceof RejoinError && error.code !== 'closed')
          findings.push(`[A3] a quorum ended with ${error.code}`)
      },
    )
  }

  /** Its tab is told that a relay has it by pages: as it reads them, or as it hears that it is on disk or asks again, after that. */
  function wasOvertaken({ tab: { tab }, at, localAt }: Logged, isAgain: boolean): boolean {
    return tab.overtakenAt === clock.time || (tab.overtakenAt > at && (isAgain || localAt === clock.time))
  }

  return {
    cluster,
    space,
    log,
    findings,
    eyes,
    causality,
    editors: createEditors(),
    get next() {
      return count + 1
    },
    enter(open, key, kind, effects, hasToken = true) {
      count += 1
      const name = kind === 'text' ? `<${count}>` : `w${count}`
      const entry: Logged = {
        token: hasToken ? name : '',
        device: open.device,
        tab: open,
        key,
        kind,
        effects,
        saw: new Set(eyes.known(open, key)),
        sights: causality.sights(open),
        together: [],
        blind: false,
        at: clock.time,
        local: false,
        localAt: 0,
        relay: false,
        lostSight: false,
        untold: false,
        asksAgain: false,
        quorum: false,
        refused: null,
        discarded: false,
        gone: false,
        erased: false,
      }
      log.push(entry)
      return entry
    },
    withdraw: entry => void log.splice(log.indexOf(entry), 1),
    follow(entries, handle) {
      for (const entry of entries) entry.together = entries
      const note = (error: unknown): void => {
        if (error instanceof RejoinError && error.code === 'closed')
          for (const entry of entries) entry.untold = true
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
      reachedOnce('relay', entries, handle).then(async isAgain => {
        for (const entry of entries) {
          entry.relay = true
          entry.lostSight = wasOvertaken(entry, isAgain)
        }
        for (const entry of entries) if (entry.token !== '') await expectOnDisks(entry, 1)
        if (cluster.copiesAtQuorum > 0) followToQuorum(entries, handle)
      }, note)
    },
    expectShown(open, name, id, entry) {
      const shown: Shown | undefined = open.replica[name].get(id)
      const wrong = wrongAtOnce(shown, entry)
      if (wrong !== null)
        findings.push(`[W1] ${entry.token} of ${documentKey(name, id)} does not show at once: ${wrong}`)
      eyes.look(open)
    },
  }
}

interface Shown extends Readonly<Partial<Record<AskField, string | undefined>>> {
  readonly color: string
  readonly tags?: readonly string[]
  readonly log: readonly string[]
}

function wrongAtOnce(shown: Shown | undefined, { token, effects }: Logged): string | null {
  if (effects.some(isDeletion)) return shown === undefined ? null : 'it is still there'
  if (shown === undefined) return 'it is not there'
  if (!shown.log.includes(token)) return 'its token is not in the log'
  for (const effect of effects) {
    if (isAsked(effect) && shown[effect.field] !== effect.value)
      return `the ${effect.field} is ${shown[effect.field]}`
    if (effect.field === 'color' && shown.color !== effect.value) return `the color is ${shown.color}`
    if (effect.field === 'tags' && (shown.tags ?? []).includes(effect.element) !== (effect.how === 'add'))
      return `the tags are ${shown.tags}`
  }
  return null
}
