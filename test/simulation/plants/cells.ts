/** Plants in what rows and cells are, and in when a document exists. */
import type { Plant } from './plant.ts'
import { apart, calm } from './worlds.ts'

export const cells: readonly Plant[] = [
  {
    name: 'join lww',
    does: 'the copy that arrives last stands',
    find: 'return order > 0 || (order === 0 && compareBytes(b.value, a.value) > 0) ? b : a',
    replace: 'return order === 0 ? a : b',
    world: apart,
    seed: 1,
  },
  {
    name: 'join ask',
    does: 'what was replaced comes back with an old copy',
    find: 'else if (!contextCovers(b.context, sibling.mark)) siblings.push(sibling)',
    replace: 'else siblings.push(sibling)',
    world: calm,
    seed: 1,
  },
  {
    name: 'join set',
    does: 'a removal is lost in a join',
    find: 'const removed = greaterMark(a.removed, b.removed)',
    replace: 'const removed = a.removed',
    world: apart,
    seed: 3,
  },
  {
    name: 'join counter',
    does: "of each writer's increments the first ones alone count",
    find: 'if (mine !== undefined && !isLater(theirs, mine)) continue',
    replace: 'if (mine !== undefined) continue',
    world: calm,
    seed: 1,
  },
  {
    name: 'join text',
    does: 'a text cell does not grow',
    find: "return context === a.context ? a : { strategy: 'text', context }",
    replace: "return a.context.size > 0 ? a : { strategy: 'text', context }",
    world: calm,
    seed: 1,
  },
  {
    name: 'deletion seen',
    does: 'of two deletions, what the second one saw is thrown away',
    find: 'const joined = mine === undefined ? theirs : joinSeen(mine, theirs)',
    replace: 'const joined = mine ?? theirs',
    world: apart,
    seed: 7,
  },
  {
    name: 'revival',
    does: 'whoever was inserted once exists for ever',
    find: 'return row.revival !== null && compareMarks(row.revival, deletion.mark) >= 0',
    replace: 'return row.revival !== null',
    world: calm,
    seed: 2,
  },
  {
    name: 'exists delete-wins',
    does: 'an edit that a deletion had not seen keeps a document that must go',
    find: "return deletion.policy !== 'delete-wins' && hasUnseenWrites(row, deletion)",
    replace: 'return hasUnseenWrites(row, deletion)',
    world: apart,
    seed: 4,
  },
  {
    name: 'exists edit-wins',
    does: 'a deletion hides edits that it had not seen',
    find: "return deletion.policy !== 'delete-wins' && hasUnseenWrites(row, deletion)",
    replace: 'return false',
    world: apart,
    seed: 2,
  },
]
