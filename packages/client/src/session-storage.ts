/**
 * What a session has done by the journal: its chunks stored, rows and bodies of texts read for the relay, and writes made
 * anew from the bodies that they were typed into.
 */
import {
  bodiesToRemake,
  bodyKey,
  entriesToRemake,
  makeAnew,
  showsDelta,
  strategyOfPart,
  type DocumentKey,
  type LoadedRow,
  type PartName,
  type RemakePlan,
  type ReplicaState,
  type Telling,
  type TextSupport,
  type ToldElsewhere,
  type WriterId,
} from '@rejoin/core'
import type { DeviceClock } from './device-clock.ts'
import type { Fence } from './journal/fence.ts'
import type { Journal } from './journal/journal.ts'

/** A text as a relay compares it with its own. */
export interface MeasuredText {
  readonly stateVector: ReadonlyMap<number, number>
  readonly digest: string
}

export interface SessionStorage {
  /** Resolves when it is stored and applied. Fails with StorageCollision if another tab took the fence. */
  append(
    chunk: Parameters<Journal['append']>[0],
    durability: 'strict' | 'relaxed',
    told?: Telling | null,
  ): Promise<void>
  /** Stores what the plan makes anew, if that is anything (SPEC W6). */
  remake(plan: RemakePlan): Promise<void>
  /** Confirmed rows, with the bodies of their texts. */
  load(keys: readonly DocumentKey[]): Promise<readonly LoadedRow[]>
  measure(key: DocumentKey, part: PartName): Promise<MeasuredText>
}

export interface SessionStorageOptions {
  readonly state: ReplicaState
  readonly journal: Journal
  readonly fence: Fence
  readonly clock: DeviceClock
  readonly drawWriter: () => WriterId
  readonly supportOf: (key: DocumentKey, part: PartName) => TextSupport | undefined
  /** What the replica's other sessions are told. */
  readonly elsewhere: ToldElsewhere
}

export function createSessionStorage(options: SessionStorageOptions): SessionStorage {
  const { state, journal, fence, clock, supportOf } = options

  async function append(
    chunk: Parameters<Journal['append']>[0],
    durability: 'strict' | 'relaxed',
    told: Telling | null = null,
  ): Promise<void> {
    const position = await journal.append(chunk, { durability, fence })
    // Also where this session has ended meanwhile: whoever writes from now on has seen it.
    if (told !== null) options.elsewhere.tell(told)
    // Stored, but a read in between failed: it is applied with the next one, or this session cannot go on.
    if (journal.seen < position) await journal.read()
  }

  async function remake(plan: RemakePlan): Promise<void> {
    const bodies = new Map<string, readonly Uint8Array[]>()
    for (;;) {
      // Writes that come while bodies are loaded may touch others.
      const missing = bodiesToRemake(entriesToRemake(state, plan)).filter(
        ({ key, part }) => !bodies.has(bodyKey(key, part)),
      )
      if (missing.length === 0) break
      for (const { key, part } of missing) bodies.set(bodyKey(key, part), await journal.readBody(key, part))
    }
    const chunk = makeAnew(state, plan, {
      drawWriter: options.drawWriter,
      now: clock.now(),
      correction: clock.offsetMs(),
      body: (key, part) => bodies.get(bodyKey(key, part)) ?? [],
      support: supportOf,
    })
    if (chunk !== null) await append(chunk, 'strict')
  }

  async function load(keys: readonly DocumentKey[]): Promise<readonly LoadedRow[]> {
    const loaded: LoadedRow[] = []
    for (const key of keys) {
      const row = await loadRow(key)
      if (row !== null) loaded.push(row)
    }
    return loaded
  }

  async function loadRow(key: DocumentKey): Promise<LoadedRow | null> {
    for (;;) {
      const row = state.confirmed(key)
      if (row === undefined) return null
      const texts = new Map<PartName, readonly Uint8Array[]>()
      for (const part of row.cells.keys()) {
        if (strategyOfPart(part) !== 'text') continue
        const body = await journal.readBody(key, part)
        if (body.length > 0) texts.set(part, body)
      }
      // X3: cells that came while bodies were read tell of more than these, and bodies may have more than the cells before.
      if (showsDelta(row, state.confirmed(key) ?? row)) return { key, row, texts }
    }
  }

  async function measure(key: DocumentKey, part: PartName): Promise<MeasuredText> {
    const support = supportOf(key, part)
    // Where no text is declared the whole body is asked for: what is known of it cannot be told. And of a
    // document that is not here: what is on disk of one that was forgotten may be taken away any time (SPEC D2).
    if (support === undefined || state.confirmed(key) === undefined) return nothingHere
    const body = await journal.readBody(key, part)
    return body.length === 0 ? nothingHere : support.head(body)
  }

  return { append, remake, load, measure }
}

const nothingHere: MeasuredText = { stateVector: new Map(), digest: '' }
