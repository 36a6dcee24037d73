/**
 * Which replicas of an origin are held, to tell at the next start whether a browser went down while one was.
 *
 * A torn log takes all databases of an origin, whichever of them was written last; so what tells of it is the origin's:
 * every holding of a tab lock is named in one small database, and the marker of its replica names the one that ended in
 * order. If these are not the same, and no replica is open anywhere, a browser went down while writing. Whether one is
 * open tells a lock, which somebody has as long as anybody is.
 */
import type { Locks, OpenStorage, Storage, StorageRequest } from '@rejoin/core'
import type { Marker } from './loss.ts'

export interface Holdings {
  /** Whether a holding of any replica did not end in order, and nobody else has seen to that. Then `scrubLog`. */
  readonly unclean: boolean
  /**
   * Names a holding. Relaxed, since the log has an order: what is written well after it is not torn with this not whole.
   */
  note(holding: string): Promise<void>
  /** The log is in order again, whatever was held. */
  settle(): Promise<void>
  /** The page goes, or comes back. */
  leave(): void
  back(): void
  close(): void
}

/** The name of that database, which no replica's can have. */
export const originName = 'rejoin'
const store = 'holdings'

export async function openHoldings(
  openStorage: OpenStorage,
  locks: Locks,
  name: string,
  marker: Marker,
): Promise<Holdings> {
  const storage = await openStorage(originName, 1, [{ name: store, autoIncrement: false }])
  const presence = createPresence(locks)
  const isAlone = await presence.begin()
  const held = isAlone ? await readHeld(storage) : new Map<string, string>()
  const disorderly = [...held].filter(([of, holding]) => marker.read(of)?.left !== holding)
  const transact = async (requests: readonly StorageRequest[]): Promise<void> => {
    await storage.transact({
      stores: [store],
      mode: 'readwrite',
      durability: 'relaxed',
      early: true,
      requests,
    })
  }
  return {
    unclean: disorderly.length > 0,
    note: holding => transact([{ op: 'put', store, key: name, value: holding }]),
    // All of them: those of databases that nobody opens any more would be told for ever.
    settle: () => transact(disorderly.map(([of]): StorageRequest => ({ op: 'delete', store, range: of }))),
    leave: presence.leave,
    back: presence.wait,
    close() {
      presence.leave()
      storage.close()
    },
  }
}

async function readHeld(storage: Storage): Promise<ReadonlyMap<string, string>> {
  const [names, holdings] = await storage.transact({
    stores: [store],
    mode: 'readonly',
    early: true,
    requests: [
      { op: 'getAllKeys', store },
      { op: 'getAll', store },
    ],
  })
  const values = holdings as readonly string[]
  return new Map((names as readonly string[]).map((name, i) => [name, values[i] ?? '']))
}

interface Presence {
  /** Whether nobody else is there. */
  begin(): Promise<boolean>
  wait(): void
  leave(): void
}

/** A lock that one of those that are there has, and all others wait for. */
function createPresence(locks: Locks): Presence {
  const name = `${originName} presence`
  /** Lets go of what was last asked for, whether it has come yet or not. */
  let leave: () => void = () => {}

  function ask(options: { readonly ifAvailable?: boolean }, told: (isOurs: boolean) => void): void {
    let release: () => void = () => {}
    const left = new Promise<void>(resolve => {
      release = resolve
    })
    const request = locks.request(name, options, async isOurs => {
      told(isOurs)
      if (isOurs) await left
    })
    // Where there are no locks nothing can be told by them.
    request.done.catch(() => told(false))
    leave = () => {
      request.cancel()
      release()
    }
  }

  function wait(): void {
    ask({}, () => {})
  }

  return {
    async begin() {
      const isAlone = await new Promise<boolean>(resolve => ask({ ifAvailable: true }, resolve))
      if (!isAlone) wait()
      return isAlone
    },
    wait,
    leave: () => leave(),
  }
}
