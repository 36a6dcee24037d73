/**
 * What relays refused, as devices heard it, and what may come of that: a document that is not taken back may stay away,
 * and a write whose verdict was lost and that another relay refuses is made anew, so it may stand twice (SPEC S3, W6).
 */
import type { DocumentKey, Frame, StoreId, SubmitFrame, VerdictFrame } from '@rejoin/core'

export interface Refusals {
  /** Watches one session of a device. */
  session(device: string): SessionWatch
  /** Whether somebody was told that a relay does not take a document back: it may stay away, and what stands on it. */
  mayNotComeBack(space: string, key: DocumentKey): boolean
  /** Whether what was written into a document may be there twice, of who speaks with one relay at a time. */
  mayStandTwice(space: string, key: DocumentKey): boolean
}

export interface SessionWatch {
  sent(space: string, frame: Frame): void
  heard(space: string, frame: Frame): void
}

interface Offered {
  readonly keys: readonly DocumentKey[]
  /** Who may have taken it: it went there, and nobody heard what became of it. */
  readonly judges: Set<StoreId>
  /** Whether one said so. If it is offered once more all the same, its device did not live to store that. */
  isAcknowledged: boolean
}

export function createRefusals(): Refusals {
  const notTakenBack = new Set<string>()
  const standingTwice = new Set<string>()
  /** By device and space, and of these by the marks of a transaction's writes, in the order in which they were sent first. */
  const offeredBy = new Map<string, Map<string, Offered>>()

  function offeredOf(device: string, space: string): Map<string, Offered> {
    const name = `${device} ${space}`
    let offered = offeredBy.get(name)
    if (offered === undefined) offeredBy.set(name, (offered = new Map()))
    return offered
  }

  /** W6: with a refused transaction goes what touches its documents, and what touches that. */
  function noteRemade(space: string, offered: Iterable<Offered>, refused: readonly Offered[]): void {
    const touched = new Set(refused.flatMap(({ keys }) => keys))
    for (const { keys, judges, isAcknowledged } of offered) {
      if (isAcknowledged || !keys.some(key => touched.has(key))) continue
      for (const key of keys) touched.add(key)
      if (judges.size > 0) for (const key of keys) standingTwice.add(`${space} ${key}`)
    }
  }

  return {
    mayNotComeBack: (space, key) => notTakenBack.has(`${space} ${key}`),
    mayStandTwice: (space, key) => standingTwice.has(`${space} ${key}`),
    session(device) {
      let judge: StoreId | null = null
      const sent: string[] = []
      let decided = 0
      /** C4: with what is refused for its time all that is skipped behind it is made anew. */
      let isForTime = false

      function submit(space: string, { transactions }: SubmitFrame): void {
        const offered = offeredOf(device, space)
        for (const { writes } of transactions) {
          const name = writes.map(({ key, mark }) => [key, mark.ms, mark.tick, mark.writer].join(' ')).join()
          sent.push(name)
          const known = offered.get(name)
          const judges = known?.judges ?? new Set<StoreId>()
          if (judge !== null) judges.add(judge)
          if (known !== undefined) known.isAcknowledged = false
          else offered.set(name, { keys: writes.map(({ key }) => key), judges, isAcknowledged: false })
        }
      }

      function decide(space: string, { count, exceptions }: VerdictFrame): void {
        const offered = offeredOf(device, space)
        const byIndex = new Map(exceptions.map(exception => [exception.index, exception]))
        const refused: Offered[] = []
        for (; decided < count; decided++) {
          const name = sent[decided] ?? ''
          const one = offered.get(name)
          const exception = byIndex.get(decided)
          const kind = exception?.kind
          if (exception?.kind === 'refused') isForTime = exception.error.code === 'clock-skew'
          if (one === undefined) continue
          if (kind !== 'refused' && kind !== 'skipped') one.isAcknowledged = true
          else if (judge !== null) one.judges.delete(judge)
          if (kind === 'refused' || (kind === 'skipped' && isForTime)) refused.push(one)
        }
        if (refused.length > 0) noteRemade(space, offered.values(), refused)
      }

      return {
        sent(space, frame) {
          if (frame.type === 'submit') submit(space, frame)
        },
        heard(space, frame) {
          if (frame.type === 'welcome') judge = frame.leader ?? frame.store
          else if (frame.type === 'verdict') decide(space, frame)
          else if (frame.type === 'given')
            for (const { key, error } of frame.refused)
              if (error.code !== 'no-leader') notTakenBack.add(`${space} ${key}`)
        },
      }
    },
  }
}
