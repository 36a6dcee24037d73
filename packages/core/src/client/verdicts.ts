/**
 * Verdicts: what the relay answered to what was submitted, stored in one chunk (SPEC L2, L3, S3, C4, X7).
 *
 * What was acknowledged joins the confirmed layer, and rows of which that may lack something are asked for. A refusal
 * asks to give and try again, to make anew, or, in the end, for the quarantine.
 */
import type { StoredVerdict } from '../chunk.ts'
import type { Failure } from '../errors.ts'
import type { VerdictException, VerdictFrame } from '../frames.ts'
import type { OutboxEntry } from '../outbox.ts'
import type { DocumentKey } from '../row.ts'
import type { TransactionId, Write } from '../write.ts'
import { append, end, type Conversation } from './conversation.ts'
import type { Giving } from './giving.ts'
import { followVerdict, hearOf, type Pull } from './pull.ts'
import type { Submitting } from './submitting.ts'
import { outstandingOf, wantRows, type Wants } from './wants.ts'

export interface Verdicts {
  /** Does what a verdict asks for, and asks for the chunk that stores it, if there is something to store. */
  store(frame: VerdictFrame): void
  /** The last chunk is on disk. */
  stored(): void
}

/** After so many answers of one kind to one transaction, giving does not help: it goes to the quarantine. */
const triesMax = 2
/** When a relay that has no leader to judge is asked again. */
const noLeaderMs = 1000

/** What helps a refused transaction to be taken. */
type Help = 'give' | 'wait' | 'time' | 'new marks' | 'a new writer' | 'nothing'

type Refusal = Extract<VerdictException, { readonly kind: 'refused' }>

export function createVerdicts(
  conversation: Conversation,
  pull: Pull,
  wants: Wants,
  giving: Giving,
  submitting: Submitting,
): Verdicts {
  const { state } = conversation
  const { elsewhere, offers } = conversation.beside
  const tries = new Map<TransactionId, number>()
  /** What the relay has, until that is on disk: if it never is, no other relay's refusal may take it out (W6). */
  let taken: readonly StoredVerdict[] = []

  /** What a refusal asks for: give and try again, make anew, or the quarantine (null: not settled by this verdict). */
  function refuse(id: TransactionId, { error, write }: Refusal, give: DocumentKey[]): StoredVerdict | null {
    const entry = state.outbox.get(id)
    // Another session took it out.
    if (entry === undefined) return null
    offers.refused(conversation.judge, entry)
    const keys = new Set(entry.transaction.writes.map(({ key }) => key))
    const helps = helpAgainst(id, error)
    if (helps === 'give') give.push(...keys)
    if (helps === 'give' || helps === 'wait') return null
    const readyAt = error.code === 'clock-skew' ? error.details.relayTime + error.details.ms : null
    if (submitting.holdsBack(entry, readyAt)) {
      tries.delete(id)
      // L2: what another relay has stays; that this one refused it is noted.
      return entry.acks.size > 0 ? { id, outcome: { kind: 'refused', error, write } } : null
    }
    if (helps === 'time' && readyAt !== null) {
      tries.delete(id)
      submitting.waitUntil(entry, readyAt)
    } else if (helps === 'new marks') submitting.remake({ from: id, keys: null, refused: null })
    else if (helps === 'a new writer') submitting.remake({ from: id, keys, refused: null })
    else {
      submitting.keepBack(id)
      // L3: what touches a document of the refused one is made anew.
      submitting.remake({ from: id, keys, refused: { transaction: entry.transaction, error } })
    }
    return null
  }

  function helpAgainst(id: TransactionId, error: Failure): Help {
    const tried = (tries.get(id) ?? 0) + 1
    tries.set(id, tried)
    if (tried > triesMax) return 'nothing'
    switch (error.code) {
      case 'document-unknown':
      case 'unknown-mark':
      case 'text-gap':
        return 'give'
      case 'clock-skew':
        return submitting.bearsLeastMark(id, error.details.relayTime) ? 'time' : 'new marks'
      case 'client-id-taken':
        return 'a new writer'
      case 'overloaded':
        return 'wait'
      default:
        return 'nothing'
    }
  }

  /** L2: rows of which the confirmed layer may lack parts although their writes are in it. */
  function noteLacked(
    writes: readonly Write[],
    told: readonly VerdictException[],
    lacked: DocumentKey[],
  ): void {
    for (let i = 0; i < writes.length; i++) {
      const { key, whole } = writes[i] as Write
      // A whole write says nothing of what the relay had: that is told by exceptions, be it lost, hidden or partial.
      const lacks = whole
        ? told.some(exception => 'write' in exception && exception.write === i)
        : state.confirmed(key) === undefined
      if (lacks) lacked.push(key)
    }
  }

  /** S4: what is confirmed by what this relay took, and no other did before: they are to be given it, as what is pulled. */
  function noteTaken({ transaction: { writes }, acks }: OutboxEntry, first: Write[]): void {
    for (let i = 0; i < writes.length; i++) {
      const write = writes[i] as Write
      if (!elsewhere.isEmpty) elsewhere.holds(write.key, write.delta)
      if (acks.size === 0) first.push(write)
    }
  }

  return {
    store(frame) {
      // Q2: nobody judges now, so the writes wait.
      if (frame.exceptions.some(isNoLeader)) return end(conversation, null, noLeaderMs)
      const toldByIndex = exceptionsByIndex(frame)
      const verdicts: StoredVerdict[] = []
      const give: DocumentKey[] = []
      const lacked: DocumentKey[] = []
      const first: Write[] = []
      const acknowledge = (id: TransactionId, told: readonly VerdictException[]): void => {
        verdicts.push({ id, outcome: acknowledgedAs[showingOf(told)] })
        const entry = entryFor(id)
        // Another session took it out.
        if (entry === undefined) return
        noteLacked(entry.transaction.writes, told, lacked)
        noteTaken(entry, first)
      }
      const answered = submitting.answered(frame.count)
      const entryFor = state.outbox.inOrder()
      for (let i = 0; i < answered.length; i++) {
        const { index, id } = answered[i] as (typeof answered)[number]
        const told = toldByIndex.size === 0 ? undefined : toldByIndex.get(index)
        // As nearly all are, of thousands that one verdict answers.
        if (told === undefined) {
          acknowledge(id, nothingTold)
          continue
        }
        const refusal = told.find(exception => exception.kind === 'refused')
        if (told.some(exception => exception.kind === 'skipped')) {
          offers.skipped(conversation.judge, id)
          submitting.halt()
        } else if (refusal !== undefined) {
          submitting.halt()
          const verdict = refuse(id, refusal, give)
          if (verdict !== null) verdicts.push(verdict)
        } else acknowledge(id, told)
      }
      wantRows(wants, lacked)
      giving.give(give)
      const { generation, position } = frame
      hearOf(pull, generation, position)
      const cut = frame.cut && followVerdict(pull, position)
      if (verdicts.length === 0) return
      taken = verdicts.filter(({ outcome }) => outcome.kind === 'acknowledged')
      const { judge: store } = conversation
      append(
        conversation,
        { kind: 'verdicts', store, generation, position, cut, verdicts, wants: outstandingOf(wants) },
        'relaxed',
        { rows: first, told: { at: state.seen + 1, generation, position } },
      )
    },
    stored() {
      for (const { id } of taken) offers.taken(conversation.judge, id)
      taken = []
    },
  }
}

const nothingTold: readonly VerdictException[] = []
const acknowledgedAs: Readonly<Record<'yes' | 'lost' | 'hidden', StoredVerdict['outcome']>> = {
  yes: { kind: 'acknowledged', shows: 'yes' },
  lost: { kind: 'acknowledged', shows: 'lost' },
  hidden: { kind: 'acknowledged', shows: 'hidden' },
}

function isNoLeader(exception: VerdictException): boolean {
  return exception.kind === 'refused' && exception.error.code === 'no-leader'
}

function exceptionsByIndex({ exceptions }: VerdictFrame): ReadonlyMap<number, readonly VerdictException[]> {
  const byIndex = new Map<number, VerdictException[]>()
  for (const exception of exceptions) {
    const told = byIndex.get(exception.index)
    if (told === undefined) byIndex.set(exception.index, [exception])
    else told.push(exception)
  }
  return byIndex
}

function showingOf(told: readonly VerdictException[]): 'yes' | 'lost' | 'hidden' {
  for (const { kind } of told) if (kind === 'lost' || kind === 'hidden') return kind
  return 'yes'
}
