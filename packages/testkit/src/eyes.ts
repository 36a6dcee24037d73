/**
 * Eyes: what each tab was shown of each document, from one callback of a query to the next. What was shown once stays
 * in sight, in this tab and in every other one of its device (session guarantees); a pair is always whole (SPEC W2).
 */
import { documentKey, type DocumentKey } from '@rejoin/core'
import { isDeletion, isInsertion, isToBlame } from './application/effects.ts'
import type { Cluster, OpenTab } from './cluster.ts'
import type { Logged } from './log.ts'
import { documentNames, pairIds, type DocumentName } from './schema.ts'
import type { Causality } from './watch/causality.ts'
import { mayBeOlder } from './watch/forgetting.ts'

export interface Eyes {
  /** Watches a tab that has just been opened; it shows all that its device has on disk. */
  watch(open: OpenTab): void
  /** Takes note of what a tab shows now. */
  look(open: OpenTab): void
  /** Tokens that a tab was shown of a document. */
  known(open: OpenTab, key: DocumentKey): ReadonlySet<string>
}

/** A collection as a tab shows it, asked each time. */
interface View {
  readonly name: DocumentName
  readonly query: ReturnType<OpenTab['replica'][DocumentName]['query']>
  /** The list that was seen to show all that was shown before. */
  whole: readonly unknown[] | null
}

const announcedMs = 100

export function createEyes(
  cluster: Cluster,
  space: string,
  log: readonly Logged[],
  findings: string[],
  onShown: Causality['shown'],
): Eyes {
  /** Documents that show all that their tab was shown of them before. */
  const whole = new WeakSet<object>()
  const shownByTab = new WeakMap<OpenTab, Map<DocumentKey, Set<string>>>()
  const viewsByTab = new WeakMap<OpenTab, readonly View[]>()

  function viewsOf(open: OpenTab): readonly View[] {
    let views = viewsByTab.get(open)
    if (views === undefined) {
      views = documentNames.map(name => ({ name, query: open.replica[name].query(), whole: null }))
      viewsByTab.set(open, views)
    }
    return views
  }

  function shownIn(open: OpenTab): Map<DocumentKey, Set<string>> {
    let shown = shownByTab.get(open)
    if (shown === undefined) shownByTab.set(open, (shown = new Map()))
    return shown
  }

  /** Whether a token may go out of sight: its write was refused, or the document was emptied by an insert over a deletion. */
  function mayGo(open: OpenTab, key: DocumentKey, token: string): boolean {
    const entry = log.find(one => one.token === token)
    if (entry === undefined || entry.refused !== null || entry.discarded) return true
    if (log.some(one => one.key === key && one.blind)) return true
    return open.replica.quarantine
      .get()
      .some(({ writes }) =>
        writes.some(({ values }) => (values['log'] as string[] | undefined)?.includes(token)),
      )
  }

  /** Whether all that was shown of the document before is still there. */
  function see(open: OpenTab, key: DocumentKey, tokens: readonly string[]): boolean {
    const shown = shownIn(open)
    const known = shown.get(key)
    const now = new Set(tokens)
    for (const token of tokens) if (known?.has(token) !== true) onShown(open, key, token, now)
    if (known === undefined) {
      shown.set(key, now)
      return true
    }
    let isWhole = true
    for (const token of known) {
      if (now.has(token)) continue
      isWhole = false
      if (mayGo(open, key, token)) continue
      known.delete(token)
      findings.push(`[V6] a tab of ${open.device.name} was shown ${token} of ${key} and shows it no more`)
    }
    for (const token of tokens) known.add(token)
    return isWhole
  }

  /** V9: a document that was shown goes if somebody deleted it, or if its insert is not taken. */
  function mayVanish(key: DocumentKey): boolean {
    if (cluster.mayNotComeBack(space, key)) return true
    return log.some(
      one =>
        one.key === key &&
        (one.gone ||
          one.effects.some(isDeletion) ||
          (one.effects.some(isInsertion) &&
            (one.refused !== null ||
              one.discarded ||
              isToBlame(one) ||
              cluster.remakes.wasRefused(one.token)))),
    )
  }

  function seeWhatIsGone(
    open: OpenTab,
    name: DocumentName,
    documents: readonly { readonly id: string }[],
  ): void {
    const now = new Set(documents.map(({ id }) => documentKey(name, id)))
    const shown = shownIn(open)
    for (const key of shown.keys()) {
      if (!key.startsWith(`${name}/`) || now.has(key) || mayVanish(key)) continue
      shown.delete(key)
      findings.push(`[V9] a tab of ${open.device.name} shows ${key} no more, and nobody deleted it`)
    }
  }

  function look(open: OpenTab): void {
    for (const view of viewsOf(open)) {
      const documents = view.query.get()
      // The same list shows the same, and so does the same object; a tab has objects of its own.
      if (view.whole === documents) continue
      seeWhatIsGone(open, view.name, documents)
      let isWhole = true
      for (const document of documents) {
        if (whole.has(document)) continue
        if (see(open, documentKey(view.name, document.id), document.log)) whole.add(document)
        else isWhole = false
      }
      view.whole = isWhole ? documents : null
    }
    seePair(open)
  }

  /** W2: a pull that does not fit one batch shows in steps, and says that it is catching up. Only ballast is that long. */
  function mayShowInSteps({ replica, space }: OpenTab): boolean {
    // Of what a relay pulls from its peers in steps, its clients see these, and nothing says so.
    if (cluster.comesInSteps) return true
    if (replica.status.get().connection !== 'catching-up') return false
    const isThere = (one: OpenTab): boolean =>
      one.space === space && one.replica.ballast.query().get().length > 0
    return cluster.paths.pages > 0 || cluster.tabs.some(isThere)
  }

  function seePair(open: OpenTab): void {
    const halves = pairIds.map(id => open.replica.pairs.get(id))
    const values = halves.map(half => half?.value ?? null)
    if (values.every(value => value === values[0]) || mayShowInSteps(open)) return
    // Where both halves have both, which value stands is decided row by row (W4), and alike if clocks are right.
    const isWhole = values.every(value =>
      pairTokens(log, value).every((token, i) => halves[i]?.log.includes(token)),
    )
    if (!isWhole)
      findings.push(`[W2] a tab of ${open.device.name} shows half a pair: ${values.join(' and ')}`)
  }

  return {
    watch(open) {
      const { replica, device } = open
      for (const entry of log) {
        const { key, token } = entry
        if (entry.device !== device || !entry.local || entry.kind !== 'log' || token === '') continue
        // What another tab has stored just now is still on its way between them, or being read.
        if (cluster.clock.time - entry.localAt < announcedMs * device.disk.slowest) continue
        const [name = '', id = ''] = key.split('/')
        const shown = documentNames.find(one => one === name)
        if (shown === undefined) continue
        const wasDeleted = log.some(one => one.key === key && one.effects.some(isDeletion))
        if (wasDeleted && mayBeOlder(cluster, entry.at)) continue
        const document = replica[shown].get(id)
        if (document !== undefined && !document.log.includes(token) && !mayGo(open, key, token))
          findings.push(`[V6] a new tab of ${device.name} does not show ${token} of ${key}`)
      }
      for (const name of documentNames) {
        replica[name].query().subscribe(() => {
          if (open.tab.scope.alive) look(open)
        })
      }
      replica.pairs.query().subscribe(() => {
        if (open.tab.scope.alive) seePair(open)
      })
      replica.on('alarm', () => void findings.push(`[P5] ${device.name} raised an alarm`))
      replica.on('unsaved', ({ id, error }) => {
        // Of a tab that dies nobody hears.
        if (!open.tab.scope.alive) return
        // What the disk did not take is told when its tab is closed, and not before.
        const isLeft = open.isClosing && ['storage-full', 'storage-closed'].includes(error.code)
        if (!isLeft) findings.push(`[W1] ${device.name} could not save ${id}: ${error.code}`)
        // What cannot be saved any more is gone with its tab: the page is loaded again.
        open.tab.scope.after(0, () => open.tab.scope.kill())
      })
    },
    look,
    known: (open, key) => shownIn(open).get(key) ?? new Set(),
  }
}

/** Tokens of the transaction that wrote a value, in the order of the halves. */
function pairTokens(log: readonly Logged[], value: string | null): readonly string[] {
  const first = log.find(({ key, token }) => key === 'pairs/left' && value === `pair ${token.slice(1)}`)
  return pairIds.map(id => first?.together.find(({ key }) => key === documentKey('pairs', id))?.token ?? '')
}
