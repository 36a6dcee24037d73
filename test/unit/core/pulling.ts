// A client whose pull has begun, driven frame by frame, with a disk that takes everything at once.
import {
  alone,
  createClientSession,
  createReplicaState,
  documentKey,
  type Beside,
  type ChangesFrame,
  type ClientSession,
  type Frame,
  type GenerationId,
  type ReplicaState,
  type SessionEffect,
  type StoreId,
  type WelcomeFrame,
} from '@rejoin/core'
import { body, deltaOf, markOf } from './edits.ts'
import { welcomeFrom } from './welcomes.ts'

export const relay = 'relay' as StoreId
export const generation = 'generation' as GenerationId

export interface Pulling {
  readonly state: ReplicaState
  /** What it sends when it is welcomed. */
  readonly greeting: readonly Frame[]
  /** Takes a frame in, and stores what it asks for. */
  receive(frame: Frame): readonly Frame[]
  /** Nothing else is to be done. */
  rested(): readonly SessionEffect[]
  /** What there is of a body is found out. */
  measured(digest: string): readonly Frame[]
  /** Time passes. */
  heed(): void
  /** Takes frames in that all have come when the first is heard of. */
  receiveTogether(...frames: readonly Frame[]): void
  /** Takes frames in while the chunk of the first is on its way to the disk. */
  receiveAll(...frames: readonly Frame[]): void
  /** How often it raised an alarm. */
  alarms(): number
}

/** A client whose pull has begun: a new one, unless stated. */
export function pulling(
  now: () => number = () => 1000,
  begin: WelcomeFrame['begin'] = 'new',
  state: ReplicaState = createReplicaState(),
  at = 0,
  beside: Beside = alone,
): Pulling {
  const options = { space: 's', token: 't', replica: relay, device: 'd', level: 'relay' } as const
  const session = createClientSession(state, options, now, beside)
  let alarms = 0
  const onAlarm = (): void => void (alarms += 1)
  const receive = (frame: Frame): readonly Frame[] =>
    settle(session, state, session.receive(frame, 10), onAlarm)
  settle(session, state, session.begin())
  const greeting = receive(
    welcomeFrom(relay, generation, { begin, cursor: { generation, cut: at, place: at } }),
  )
  return {
    state,
    greeting,
    receive,
    rested: session.rested,
    measured: digest =>
      settle(session, state, session.measured(documentKey('notes', 'a'), body, new Map(), digest)),
    heed: () => void settle(session, state, session.heed()),
    receiveTogether(...frames) {
      frames.forEach((frame, i) => {
        settle(session, state, session.receive(frame, 10, i + 1 < frames.length))
      })
    },
    receiveAll(...frames) {
      const effects = frames.map(frame => session.receive(frame, 10))
      settle(session, state, effects.flat())
    },
    alarms: () => alarms,
  }
}

/** Stores every chunk and loads every row at once, and gathers the frames that are sent. */
export function settle(
  session: ClientSession,
  state: ReplicaState,
  effects: readonly SessionEffect[],
  onAlarm: () => void = () => {},
): readonly Frame[] {
  return effects.flatMap(effect => {
    if (effect.kind === 'send') return [effect.frame]
    if (effect.kind === 'alarm') onAlarm()
    if (effect.kind === 'load') {
      const rows = effect.keys.flatMap(key => {
        const row = state.confirmed(key)
        return row === undefined ? [] : [{ key, row, texts: new Map() }]
      })
      return settle(session, state, session.loaded(rows), onAlarm)
    }
    if (effect.kind !== 'append') return []
    state.apply(state.seen + 1, effect.chunk)
    return settle(session, state, session.stored(), onAlarm)
  })
}

export function page(place: number, head: number, ...names: readonly string[]): ChangesFrame {
  const rows = names.map((name, i) => {
    const delta = deltaOf({ kind: 'insert', value: 'red', element: 'x' }, undefined, markOf('bob', 500, i))
    return { key: documentKey('notes', name), delta, parts: 0, texts: new Map() }
  })
  return { type: 'changes', rows, place, head, cut: null, answer: false, writers: [] }
}

export const kindsOf = (effects: readonly SessionEffect[]): readonly string[] =>
  effects.map(effect => (effect.kind === 'send' ? effect.frame.type : effect.kind))

/** A cut of a relay that has so many rows. */
export function comparedAt({ state }: Pulling, position: number, count: number): ChangesFrame {
  const fingerprint = { ...state.fingerprint, count }
  const frontier = new Map([[generation, position]])
  return {
    ...page(position, position),
    cut: { generation, position, frontier, generations: [], fingerprint },
  }
}
