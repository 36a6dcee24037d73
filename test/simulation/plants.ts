/**
 * Planted bugs: each breaks one rule of SPEC.md at one place of the product's source, to prove that the simulator can
 * see it. A plant names the text that it replaces, which must stand exactly once; so a plant that no longer fits says
 * so instead of proving nothing.
 */
export interface Plant {
  /** The rule that it breaks, and a letter where there are several. */
  readonly name: string
  /** What the broken product does. */
  readonly does: string
  readonly find: string
  readonly replace: string
}

export const plants: readonly Plant[] = [
  {
    name: 'A1',
    does: 'a relay answers before its commit is on disk',
    find: 'if (draft !== null) await store.commit(draft)\n      deliver(space.committed())',
    replace: 'deliver(space.committed())\n      if (draft !== null) await store.commit(draft)',
  },
  {
    name: 'W4',
    does: 'a write bears a mark that may be smaller than what its writer saw',
    find: 'if (over !== null && !isLater(stamp, over)) stamp = followingStamp(over)',
    replace: '',
  },
  {
    name: 'S3',
    does: 'a relay says that it covers every reach, so nobody gives it back what it lost',
    find: 'covers: coversPositions(generations, frontier, frame.reach)',
    replace: 'covers: true',
  },
]
