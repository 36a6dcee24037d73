// What comes while a session has nothing else to do takes a shorter way. It ends where the long one does, step by step.
import {
  createClientSession,
  createReplicaState,
  documentKey,
  nothingReplaced,
  noTexts,
  transactionId,
  type ChangesFrame,
  type DocumentKey,
  type Frame,
  type GenerationId,
  type SessionEffect,
  type StoreId,
} from '@rejoin/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pulledChunk } from './chunks.ts'
import { deltaOf, markOf, people, writerOf, type Person } from './edits.ts'
import { welcomeFrom } from './welcomes.ts'

const relay = 'relay' as StoreId
const elsewhere = 'elsewhere' as StoreId
const generation = 'generation' as GenerationId

/** Something that happens beside what comes of the feed: also while that is on its way to the disk. */
type Aside = 'own write' | 'of another relay' | 'another frame' | 'time' | 'verdict' | 'nothing'

interface Step {
  readonly by: Person
  readonly title: boolean
  readonly document: string
  readonly parts: number
  readonly end: 'cut' | 'compared cut' | 'page' | 'answer'
  readonly meanwhile: Aside
  readonly afterwards: Aside
}

const aside = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Aside>('nothing') },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Aside>(
      'own write',
      'of another relay',
      'another frame',
      'time',
      'verdict',
      'verdict',
    ),
  },
)

const arbitraryStep: fc.Arbitrary<Step> = fc.record({
  by: fc.constantFrom(...people),
  title: fc.boolean(),
  document: fc.constantFrom('a', 'b', 'c'),
  parts: fc.constantFrom(0, 0, 1, 3),
  end: fc.constantFrom('cut', 'cut', 'cut', 'compared cut', 'page', 'answer'),
  meanwhile: aside,
  afterwards: aside,
})

/** Everything that a session asks for, and what is there in the end. `isLong`: each frame is looked through a step. */
function play(steps: readonly Step[], isLong: boolean): unknown {
  const state = createReplicaState()
  const options = { space: 's', token: 't', replica: relay, device: 'd', level: 'relay' } as const
  const session = createClientSession(state, options, () => 1000)
  const asked: SessionEffect[] = []
  let pending: readonly SessionEffect[] = []
  let isRestDue = false
  let place = 0
  let serial = 0
  let ms = 1000

  function heed(effects: readonly SessionEffect[]): void {
    asked.push(...effects)
    isRestDue ||= effects.some(({ kind }) => kind === 'rest')
    pending = [...pending, ...effects.filter(({ kind }) => kind === 'append')]
  }

  function storeAll(): void {
    for (let [next] = pending; next !== undefined; [next] = pending) {
      pending = pending.slice(1)
      if (next.kind === 'append') state.apply(state.seen + 1, next.chunk)
      heed(session.stored())
    }
    if (!isRestDue) return
    isRestDue = false
    heed(session.rested())
    storeAll()
  }

  /** As who drives it: while it stores something itself, it hears of that alone. */
  function advance(): void {
    if (isLong || pending.length === 0) heed(session.advance())
  }

  function receive(frame: Frame): void {
    heed(session.receive(frame, 600_000, isLong))
    if (isLong) heed(session.advance())
  }

  function rowOf({ by, title, document }: Step): {
    readonly key: DocumentKey
    readonly delta: ReturnType<typeof deltaOf>
  } {
    ms += 1
    const value = `of ${by}`
    return {
      key: documentKey('notes', document),
      delta: deltaOf({ kind: title ? 'title' : 'color', value }, undefined, markOf(by, ms)),
    }
  }

  function frameOf(step: Step): ChangesFrame {
    const isAnswer = step.end === 'answer'
    if (!isAnswer) place += 1
    const rows = [{ ...rowOf(step), parts: step.parts, texts: new Map() }]
    const fingerprint = step.end === 'compared cut' ? state.fingerprint : null
    const frontier = new Map([[generation, place]])
    const cut = { generation, position: place, frontier, generations: [], fingerprint }
    const isCut = step.end === 'cut' || step.end === 'compared cut'
    return {
      type: 'changes',
      rows,
      place,
      head: place,
      cut: isCut ? cut : null,
      answer: isAnswer,
      writers: [],
    }
  }

  function happen(what: Aside, step: Step): void {
    switch (what) {
      case 'own write': {
        const { key, delta } = rowOf({ ...step, by: 'alice' })
        const mark = markOf('alice', ms)
        const write = { key, delta, mark, texts: noTexts, replaced: nothingReplaced, whole: false }
        const id = transactionId(writerOf('alice'), ++serial)
        const transaction = { id, writes: [write], seen: [], correction: 0, heard: state.seen }
        state.write(transaction)
        state.apply(state.seen + 1, { kind: 'own', transactions: [transaction] })
        return advance()
      }
      case 'of another relay':
        state.apply(
          state.seen + 1,
          pulledChunk(elsewhere, { rows: [{ ...rowOf(step), parts: 0, texts: new Map() }], at: 1000 }),
        )
        return advance()
      case 'another frame':
        return receive(frameOf(step))
      case 'time':
        heed(session.heed())
        return heed(session.rested())
      case 'verdict':
        place += 1
        return receive({
          type: 'verdict',
          count: serial,
          generation,
          position: place,
          cut: true,
          exceptions: [],
        })
      case 'nothing':
    }
  }

  heed(session.begin())
  receive(welcomeFrom(relay, generation))
  storeAll()
  for (const step of steps) {
    receive(frameOf(step))
    happen(step.meanwhile, step)
    storeAll()
    happen(step.afterwards, step)
    storeAll()
  }
  const rows = [...state.keys()].sort().map(key => [key, state.visible(key), state.confirmed(key)])
  return { asked, rows, snapshot: state.snapshot(), isLevel: session.caughtUp, phase: session.phase }
}

test('[P1] a change that comes at rest is stored as one that is looked through, whatever comes before it and meanwhile', () => {
  fc.assert(
    fc.property(fc.array(arbitraryStep, { maxLength: 12, size: 'max' }), steps => {
      expect(play(steps, false)).toEqual(play(steps, true))
    }),
    { numRuns: 100 },
  )
})
