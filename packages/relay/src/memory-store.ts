/**
 * A relay's store in memory: for tests, for simulations, and for a relay that may forget when it ends.
 *
 * What would be on a disk is a `MemoryDisk`. It outlives the stores that are opened over it, and its content can be
 * taken and put back as an image, as a backup is: rows and updates are immutable and shared between all images.
 * Opening a disk cuts off the store that had it before, as a process that died is cut off.
 */
import {
  RejoinError,
  writerFromBytes,
  type GenerationId,
  type RelayStore,
  type SpaceCommit,
  type StoreId,
  type StoredText,
} from '@rejoin/core'
import { copySpace, createSpaceContent, type SpaceContent } from './memory-space.ts'
import type { OpenRelayStore } from './open-store.ts'

export interface MemoryDisk {
  /** What the disk holds now; later commits do not change it. */
  image(): MemoryImage
  /** Puts an image in the place of what the disk holds, and cuts off the store that is open. */
  restore(image: MemoryImage): void
  /** Opens a store over the disk in a new generation. */
  readonly open: OpenRelayStore
}

export interface MemoryImage {
  readonly id: StoreId
  readonly openings: readonly GenerationId[]
  readonly spaces: ReadonlyMap<string, SpaceContent>
}

const sliceRows = 500
const nothingStored: StoredText = { folded: 0, end: 0, updates: [] }

/** An empty disk. Ids are drawn from `randomBytes`. */
export function createMemoryDisk(randomBytes: (length: number) => Uint8Array): MemoryDisk {
  let id = writerFromBytes(randomBytes(8)) as string as StoreId
  let openings: readonly GenerationId[] = []
  let spaces = new Map<string, SpaceContent>()
  let current = 0

  return {
    image: () => ({ id, openings, spaces: copySpaces(spaces) }),
    restore: image => {
      id = image.id
      openings = image.openings
      spaces = copySpaces(image.spaces)
      current += 1
    },
    open: async () => {
      const generation = writerFromBytes(randomBytes(8)) as string as GenerationId
      openings = [...openings, generation]
      current += 1
      const mine = current
      return createStore(id, generation, openings.length === 1, spaces, () => current === mine)
    },
  }
}

function createStore(
  id: StoreId,
  generation: GenerationId,
  isNew: boolean,
  spaces: Map<string, SpaceContent>,
  holdsDisk: () => boolean,
): RelayStore {
  let isOpen = true

  function find(space: string): SpaceContent | undefined {
    if (isOpen && holdsDisk()) return spaces.get(space)
    throw new RejoinError(
      'storage-closed',
      { reason: 'closed' },
      'The store was closed, or opened elsewhere.',
    )
  }

  function apply(commit: SpaceCommit): void {
    let content = find(commit.space)
    if (content === undefined) {
      content = createSpaceContent(commit.record)
      spaces.set(commit.space, content)
    }
    content.apply(commit)
  }

  return {
    id,
    generation,
    isNew,
    loadSpace: async space => find(space)?.load() ?? { record: null, generations: [] },
    rows: async (space, keys) => find(space)?.rows(keys) ?? new Map(),
    feed: async (space, after, limit) => find(space)?.feed(after, limit) ?? [],
    all: async function* (space) {
      const rows = find(space)?.all() ?? []
      for (let at = 0; at < rows.length; at += sliceRows) yield rows.slice(at, at + sliceRows)
    },
    writers: async (space, ids) => find(space)?.writers(ids) ?? [],
    writersAfter: async (space, after) => find(space)?.writersAfter(after) ?? [],
    textTail: async (space, key, part, after) => {
      const content = find(space)
      return content === undefined ? [] : content.textTail(key, part, after)
    },
    textBody: async (space, key, part) => find(space)?.storedText(key, part).updates ?? [],
    textSize: async (space, key, part) => {
      const { folded, updates } = find(space)?.storedText(key, part) ?? nothingStored
      const sizes = updates.map(update => update.length)
      const snapshot = folded > 0 ? (sizes.shift() ?? 0) : 0
      return { snapshot, tail: sizes.reduce((sum, size) => sum + size, 0) }
    },
    storedText: async (space, key, part) => find(space)?.storedText(key, part) ?? nothingStored,
    pages: {
      at: async (space, from) => find(space)?.pages.at(from) ?? null,
      next: async (space, position) => find(space)?.pages.next(position) ?? Number.POSITIVE_INFINITY,
      put: async (space, page) => find(space)?.pages.put(page),
    },
    fold: async fold => find(fold.space)?.fold(fold) ?? false,
    commit: async commit => apply(commit),
    close: async () => {
      isOpen = false
    },
  }
}

function copySpaces(spaces: ReadonlyMap<string, SpaceContent>): Map<string, SpaceContent> {
  return new Map(Array.from(spaces, ([name, content]) => [name, copySpace(content)]))
}
