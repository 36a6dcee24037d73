/**
 * What other relays told this replica since a session began, by document: the relay of that session may not have heard
 * of it yet. So what was written by somebody who had seen it goes there behind it; else who reads there would be shown a
 * write without what its author had seen (SPEC S3).
 */
import type { GenerationId } from '../generations.ts'
import type { DocumentKey } from '../row.ts'

/** Something was told of a document. */
export interface Told {
  /** The first position of the journal at which it may stand: whoever had heard less had not seen it. */
  readonly at: number
  /** Where the feed ended in which it came: a relay that holds that much holds it. */
  readonly generation: GenerationId
  readonly position: number
}

/** Documents of which a relay told something. */
export interface Telling {
  readonly keys: readonly DocumentKey[]
  readonly told: Told
}

export interface ToldElsewhere {
  /** What the relay of this session told is on disk. */
  tell(telling: Telling): void
  /** Whether another relay told something of a document, up to a position of the journal, that this one does not hold. */
  lacks(key: DocumentKey, heard: number, isHeld: (told: Told) => boolean): boolean
  /** The relay is about to be given these documents as they are now, or all of them. */
  given(keys: Iterable<DocumentKey> | null): void
  /** What was told since the relay was given all, but for what it was given or holds since. */
  readonly told: Iterable<Told>
  /** Drops what the relay holds: most is asked for by nobody. */
  settle(isHeld: (told: Told) => boolean): void
  /** The session is over. */
  end(): void
}

/** Of more the last ones of a document count as one, as old as its first and as new as its last. */
const toldMax = 32

/** For the sessions of one replica: each begins here, and hears what the others tell from then on. */
export function createGrapevine(): () => ToldElsewhere {
  const listening = new Set<Map<DocumentKey, readonly Told[]>>()

  return () => {
    const mine = new Map<DocumentKey, readonly Told[]>()
    listening.add(mine)

    function keepWhatIsLacked(key: DocumentKey, isHeld: (told: Told) => boolean): readonly Told[] {
      const lacked = (mine.get(key) ?? []).filter(told => !isHeld(told))
      if (lacked.length > 0) mine.set(key, lacked)
      else mine.delete(key)
      return lacked
    }

    return {
      tell({ keys, told }) {
        for (const other of listening) {
          if (other === mine) continue
          for (const key of keys) other.set(key, withTold(other.get(key) ?? [], told))
        }
      },
      lacks: (key, heard, isHeld) =>
        mine.has(key) && keepWhatIsLacked(key, isHeld).some(({ at }) => at <= heard),
      given(keys) {
        if (keys === null) mine.clear()
        else for (const key of keys) mine.delete(key)
      },
      get told() {
        return [...mine.values()].flat()
      },
      settle(isHeld) {
        for (const key of [...mine.keys()]) keepWhatIsLacked(key, isHeld)
      },
      end: () => void listening.delete(mine),
    }
  }
}

function withTold(list: readonly Told[], told: Told): readonly Told[] {
  const last = list.at(-1)
  if (list.length < toldMax || last?.generation !== told.generation) return [...list, told]
  return [...list.slice(0, -1), { ...told, at: last.at }]
}
