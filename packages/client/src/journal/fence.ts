/**
 * Fences: how a tab that was frozen learns that another one took its place, without any tab reading before it writes.
 *
 * A holder's n-th guarded transaction adds key [term, n] and, with the same stroke, takes away the one before. Who
 * takes over bars it first, by adding [term, n + 1] itself, so the old holder's next transaction, whenever it wakes,
 * collides and is aborted as a whole; then it claims the next term. Each of the two looks in the same stroke whether
 * anything has moved since it was read, and begins again if so: what it added then lies below the newest key, where
 * it means nothing. The fence's key is the last request of a transaction, since Firefox, after an explicit commit,
 * aborts only if the last one fails.
 *
 * A bar stays for as long as somebody may wake behind it. A holder that ends in order, or that meets its bar, frees its
 * term: the last key then says that nobody will write under it again, so nothing of the term is kept.
 */
import { RejoinError, StorageCollision, type Runtime, type Storage, type StorageRequest } from '@rejoin/core'

/** A tab's hold of one fence. Guarded transactions go one after the other. */
export interface Fence {
  readonly term: number
  /** Whether it is known to be taken over, or a transaction ended without an answer; then take it anew. */
  readonly lost: boolean
  /** Whether no guarded transaction is under way or waiting. */
  readonly isIdle: boolean
  /** As `Storage.transact`, guarded. Rejects with `StorageCollision` once somebody else has taken over. */
  transact(options: {
    readonly stores: readonly string[]
    readonly durability: 'strict' | 'relaxed'
    readonly early?: boolean | undefined
    readonly requests: readonly StorageRequest[]
  }): Promise<readonly unknown[]>
  /** Guards nothing any more but what it was given before; whoever takes over need not fear it. */
  release(): void
  /** Resolves when what is under way now has ended, however it did. */
  settled(): Promise<unknown>
  /** Whether nobody took over, asked while it is idle. */
  check(): Promise<boolean>
}

/** Fence keys of terms that ended longer ago than this are taken away when somebody takes over. */
const pruneMs = 30 * 24 * 3_600_000
/** The time of a key under which nobody will write again: longer ago than any. */
const freed = Number.NEGATIVE_INFINITY

type FenceKey = readonly [term: number, count: number]

interface FenceState {
  readonly keys: readonly FenceKey[]
  readonly times: readonly number[]
}

export async function takeFence(storage: Storage, store: string, runtime: Runtime): Promise<Fence> {
  for (;;) {
    const { keys, times } = await readFence(storage, store)
    const now = runtime.now()
    const [term, count] = keys.at(-1) ?? [0, 0]
    if (term > 0 && times.at(-1) !== freed) {
      const [barredTerm, barredCount] = (await addKey(storage, store, [term, count + 1], now)) ?? []
      // Where the holder went on meanwhile, it is not barred.
      if (barredTerm !== term || barredCount !== count) continue
    }
    const [newest = 0] = (await addKey(storage, store, [term + 1, 0], now)) ?? [Number.NaN]
    if (newest !== term) continue
    await prune(storage, store, keys, times, now - pruneMs)
    return holdFence(storage, store, term + 1, runtime)
  }
}

async function readFence(storage: Storage, store: string): Promise<FenceState> {
  const [keys, times] = await storage.transact({
    stores: [store],
    mode: 'readonly',
    early: true,
    requests: [
      { op: 'getAllKeys', store },
      { op: 'getAll', store },
    ],
  })
  return { keys: keys as readonly FenceKey[], times: times as readonly number[] }
}

/** Adds a key; the newest one before it ([0, 0] if there was none), or null if the key was there. */
async function addKey(storage: Storage, store: string, key: FenceKey, at: number): Promise<FenceKey | null> {
  try {
    const [keys] = await storage.transact({
      stores: [store],
      mode: 'readwrite',
      durability: 'strict',
      early: true,
      requests: [
        { op: 'getAllKeys', store },
        { op: 'add', store, key, value: at },
      ],
    })
    return (keys as readonly FenceKey[]).at(-1) ?? [0, 0]
  } catch (error) {
    if (error instanceof StorageCollision) return null
    throw error
  }
}

async function prune(
  storage: Storage,
  store: string,
  keys: readonly FenceKey[],
  times: readonly number[],
  before: number,
): Promise<void> {
  const old = keys.filter((_, i) => (times[i] ?? 0) < before)
  if (old.length === 0) return
  const requests = old.map((key): StorageRequest => ({ op: 'delete', store, range: key }))
  await storage.transact({ stores: [store], mode: 'readwrite', durability: 'relaxed', requests })
}

function holdFence(storage: Storage, store: string, term: number, runtime: Pick<Runtime, 'now'>): Fence {
  const since = runtime.now()
  let usedAt = since
  let count = 0
  let isTakenOver = false
  let isReleased = false
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()

  async function guarded(options: Parameters<Fence['transact']>[0], at: number): Promise<readonly unknown[]> {
    const now = runtime.now()
    // Who slept so long may find its bar taken away.
    if (now - usedAt > pruneMs / 2 && !(await isNewest())) lose()
    if (isTakenOver) throw new StorageCollision(`the fence ${store} ${term} was taken over`)
    usedAt = now
    const requests: readonly StorageRequest[] = [
      ...options.requests,
      { op: 'delete', store, range: [term, count] },
      { op: 'add', store, key: [term, count + 1], value: at },
    ]
    try {
      const answers = await storage.transact({
        stores: [...options.stores, store],
        mode: 'readwrite',
        durability: options.durability,
        early: options.early,
        requests,
      })
      count += 1
      return answers.slice(0, options.requests.length)
    } catch (error) {
      // Full means that nothing was stored. After any other failure the count may be behind: a new term settles it.
      if (!(error instanceof RejoinError && error.code === 'storage-full')) lose()
      if (error instanceof StorageCollision) await freeBar()
      throw error
    }
  }

  async function isNewest(): Promise<boolean> {
    const { keys } = await readFence(storage, store)
    const [newest, at] = keys.at(-1) ?? [0, 0]
    return newest === term && at === count
  }

  /** Nobody writes behind it any more. Where that cannot be stored, it stays until it is old. */
  async function freeBar(): Promise<void> {
    const requests: readonly StorageRequest[] = [
      { op: 'delete', store, range: [term, count] },
      { op: 'put', store, key: [term, count + 1], value: freed },
    ]
    await storage
      .transact({ stores: [store], mode: 'readwrite', durability: 'relaxed', requests })
      .catch(() => {})
  }

  function lose(): void {
    isTakenOver = true
    fence.lost = true
  }

  function leave(): void {
    waiting -= 1
    fence.isIdle = waiting === 0
  }

  function enqueue(options: Parameters<Fence['transact']>[0], at: number): Promise<readonly unknown[]> {
    // Most of the time there is nothing to wait for.
    const next = waiting === 0 ? guarded(options, at) : last.then(() => guarded(options, at))
    waiting += 1
    fence.isIdle = false
    last = next.then(leave, leave)
    return next
  }

  const fence = {
    term,
    lost: false,
    isIdle: true,
    settled: () => last,
    transact: (options: Parameters<Fence['transact']>[0]) =>
      isReleased
        ? Promise.reject(new StorageCollision(`the fence ${store} ${term} was released`))
        : enqueue(options, since),
    release() {
      if (fence.lost) return
      isReleased = true
      fence.lost = true
      // Where it cannot be stored, the term stays barred like that of a tab that froze.
      enqueue({ stores: [], durability: 'relaxed', early: true, requests: [] }, freed).catch(() => {})
    },
    async check() {
      if (!(await isNewest())) lose()
      return !isTakenOver
    },
  }
  return fence
}
