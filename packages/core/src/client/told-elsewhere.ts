/**
 * What other relays told this replica since a session began, by document: the relay of that session may not have heard
 * of it yet. So what was written by somebody who had seen it goes there behind it; else who reads there would be shown a
 * write without what its author had seen (SPEC S3). And what was given to it says nothing of these (SPEC S4).
 */
import { coversPosition, type GenerationId, type GenerationTable, type Positions } from '../generations.ts'
import { countParts, emptyRow, joinRows, showsDelta, type DocumentKey, type Row } from '../row.ts'
import { withMethods } from '../with-methods.ts'

/** Something was told of a document. */
export interface Told {
  /** The first position of the journal at which it may stand: whoever had heard less had not seen it. */
  readonly at: number
  /** Where the feed ended in which it came: a relay that holds that much holds it. */
  readonly generation: GenerationId
  readonly position: number
}

/** What a relay told of some documents. */
export interface Telling {
  readonly rows: readonly { readonly key: DocumentKey; readonly delta: Row }[]
  readonly told: Told
}

export interface ToldElsewhere {
  /** What the relay of this session told is on disk. */
  tell(telling: Telling): void
  /** The relay of this session told of a document: whatever of it that shows it holds, whoever told of it too. */
  holds(key: DocumentKey, row: Row): void
  /** Whether another relay told something of a document, up to a position of the journal, that this one does not hold. */
  lacks(key: DocumentKey, heard: number, isHeld: (told: Told) => boolean): boolean
  /** The relay is about to be given these documents as they are now, or all of them. */
  given(keys: Iterable<DocumentKey> | null): void
  /** Whether nothing was told since the relay was given all, but what it was given or holds since. */
  readonly isEmpty: boolean
  /** Positions of feeds but for those up to which something else was told since. */
  withoutTold(table: GenerationTable, positions: Positions): Positions
  /** Drops what the relay holds: most is asked for by nobody. */
  settle(isHeld: (told: Told) => boolean): void
  /** The session is over. */
  end(): void
}

/** With what of it the relay has not shown. */
interface Lacked extends Told {
  readonly delta: Row
}

/** Of more the last ones of a document count as one, as old as its first and as new as its last. */
const toldMax = 32

/** For the sessions of one replica: each begins here, and hears what the others tell from then on. */
export function createGrapevine(): () => ToldElsewhere {
  const listening = new Set<Map<DocumentKey, readonly Lacked[]>>()

  return () => {
    const mine = new Map<DocumentKey, readonly Lacked[]>()
    listening.add(mine)

    function put(key: DocumentKey, lacked: readonly Lacked[]): void {
      if (lacked.length > 0) mine.set(key, lacked)
      else mine.delete(key)
    }

    function keepWhatIsLacked(key: DocumentKey, isHeld: (told: Told) => boolean): readonly Lacked[] {
      const lacked = (mine.get(key) ?? []).filter(told => !isHeld(told))
      put(key, lacked)
      return lacked
    }

    const elsewhere: Omit<ToldElsewhere, 'isEmpty'> & Mine = {
      mine,
      tell({ rows, told }) {
        for (const other of listening) {
          if (other === mine) continue
          for (const { key, delta } of rows)
            other.set(key, withTold(other.get(key) ?? [], { ...told, delta }))
        }
      },
      holds(key, row) {
        const lacked = mine.get(key)
        if (lacked === undefined) return
        const left = lacked.map(one => ({ ...one, delta: withoutShown(one.delta, row) }))
        put(
          key,
          left.filter(({ delta }) => countParts(delta) > 0),
        )
      },
      lacks: (key, heard, isHeld) =>
        mine.has(key) && keepWhatIsLacked(key, isHeld).some(({ at }) => at <= heard),
      given(keys) {
        if (keys === null) mine.clear()
        else for (const key of keys) mine.delete(key)
      },
      withoutTold(table, positions) {
        if (positions.size === 0 || mine.size === 0) return positions
        const least = new Map<GenerationId, number>()
        for (const { generation, position } of [...mine.values()].flat())
          least.set(generation, Math.min(position, least.get(generation) ?? Infinity))
        const isSilent = (feed: Positions): boolean =>
          [...least].every(([generation, position]) => !coversPosition(table, feed, generation, position))
        return new Map([...positions].filter(entry => isSilent(new Map([entry]))))
      },
      settle(isHeld) {
        for (const key of [...mine.keys()]) keepWhatIsLacked(key, isHeld)
      },
      end: () => void listening.delete(mine),
    }
    return withMethods(elsewhere, isNothingTold)
  }
}

interface Mine {
  readonly mine: ReadonlyMap<DocumentKey, readonly Lacked[]>
}

const isNothingTold: Pick<ToldElsewhere, 'isEmpty'> & ThisType<Mine> = {
  get isEmpty() {
    return this.mine.size === 0
  },
}

function withTold(list: readonly Lacked[], told: Lacked): readonly Lacked[] {
  const last = list.at(-1)
  if (list.length < toldMax || last?.generation !== told.generation) return [...list, told]
  return [...list.slice(0, -1), { ...told, at: last.at, delta: joinRows(last.delta, told.delta) }]
}

function withoutShown({ cells, deletion, revival }: Row, row: Row): Row {
  const isShown = (part: Partial<Row>): boolean => showsDelta(row, { ...emptyRow, ...part })
  return {
    cells: new Map([...cells].filter(entry => !isShown({ cells: new Map([entry]) }))),
    deletion: isShown({ deletion }) ? null : deletion,
    revival: isShown({ revival }) ? null : revival,
  }
}
