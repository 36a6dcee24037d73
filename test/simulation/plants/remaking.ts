/** Plants in what is refused, and in what is made anew after it. */
import type { Plant } from './plant.ts'
import { besides, one, refusing } from './worlds.ts'

export const remaking: readonly Plant[] = [
  {
    name: 'W6 (1)',
    does: 'what is made anew bears the time at which it is made anew',
    find: 'return { ms: Math.max(0, Math.floor(Math.min(shifted, context.now))), tick }',
    replace: 'return { ms: Math.max(shifted, Math.floor(context.now)), tick }',
    world: one(100, { refusal: 1, cut: 0.3, 'silent-cut': 0.2 }),
    seed: 98,
  },
  {
    name: 'W6 (2)',
    does: 'what is made anew bears its old writer',
    find: 'if (now === undefined) newByOld.set(old, (now = draw()))',
    replace: 'if (now === undefined) newByOld.set(old, (now = old))',
    also: {
      find: 'writers: [...old].map(from => ({ from, to: newWriterOf(from) })),',
      replace: 'writers: [],',
    },
    world: refusing,
    seed: 5,
  },
  {
    name: 'W6 (2) tabs',
    does: 'all that one pass makes anew bears one writer',
    find: 'let now = newByOld.get(old)',
    replace: 'let now = [...newByOld.values()][0]',
    world: besides,
    seed: 3,
  },
  {
    name: 'W6 (3)',
    does: 'what is made anew may bear a mark that is smaller than what its writer saw',
    find: 'return isAbove ? stamp : followingStamp(over)',
    replace: 'return isAbove ? stamp : stamp',
    world: one(60, { skew: 0.4, cut: 0.1 }),
    seed: 6,
  },
  {
    name: 'W6 (5)',
    does: 'what stands on a refused insert is sent all the same',
    find: 'return whole || (exists && delta.revival === null)',
    replace: 'return true',
    world: refusing,
    seed: 1,
  },
  {
    name: 'L3',
    does: 'what stands on a refused write is not made anew',
    find: 'submitting.remake({ from: id, keys, refused: { transaction: entry.transaction, error } })',
    replace:
      'submitting.remake({ from: id, keys: new Set(), refused: { transaction: entry.transaction, error } })',
    world: refusing,
    seed: 8,
  },
  {
    name: 'L3 relay',
    does: 'a relay does not skip what follows a refusal',
    find: 'if (session.skipping || round !== session.round) return judgeShown(',
    replace: 'if (round !== session.round) return judgeShown(',
    world: refusing,
    seed: 8,
  },
  {
    name: 'Q1',
    does: 'what is refused is told to be accepted',
    find: "answer.exceptions.push({ index, kind: 'refused', write: judgement.write, error: judgement.error })",
    replace:
      "if (answer === null) answer.exceptions.push({ index, kind: 'refused', write: judgement.write, error: judgement.error })",
    world: refusing,
    seed: 1,
  },
  {
    name: 'Q3',
    does: 'what is refused is thrown away',
    find: 'knowledge.quarantine.set(id, { transaction: old.transaction, error })',
    replace: '',
    world: refusing,
    seed: 1,
  },
  {
    name: 'A4',
    does: 'a write that is shown already is judged like a new one',
    find: 'for (const { key, delta } of writes) if (!showsDelta(context.row(key)?.row, delta)) return null',
    replace: 'if (writes.length > 0) return null',
    world: one(80, { refusal: 1, 'lost-verdict': 0.4, 'relay-crash': 0.2 }),
    seed: 3,
  },
  {
    name: 'X9',
    does: 'a refused text stays in the document',
    find: 'return support.head(standing).digest === support.head([...standing, ...logged]).digest',
    replace: 'return standing.length >= 0',
    world: one(120, { refusal: 1, cut: 0.2 }),
    seed: 5,
  },
  {
    name: 'W6 (4)',
    does: 'what a write had counted is counted again when it is made anew',
    find: '- (seen.counted.get(part) ?? 0)',
    replace: '- 0 * (seen.counted.get(part) ?? 0)',
    world: refusing,
    seed: 8,
  },
]
