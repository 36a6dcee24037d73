/** Plants in conflicts. */
import type { Plant } from './plant.ts'
import { apart, calm } from './worlds.ts'

export const asking: readonly Plant[] = [
  {
    name: 'K1',
    does: 'a write does not replace what its writer saw',
    find: 'const context = addToContext(known?.context ?? emptyContext, mark)',
    replace: 'const context = addToContext(known === null ? emptyContext : new Map(), mark)',
    world: calm,
    seed: 1,
  },
  {
    name: 'K2',
    does: 'the smallest of several is shown',
    find: 'const winner = sides.at(-1)?.value as Output',
    replace: 'const winner = sides.at(0)?.value as Output',
    world: apart,
    seed: 1,
  },
  {
    name: 'K4',
    does: 'two decisions of one conflict are a new conflict',
    find: 'return sibling.answers === null ? formatMark(sibling.mark) : `answers ${keyOfBytes(sibling.answers)}`',
    replace: 'return formatMark(sibling.mark)',
    world: apart,
    seed: 1,
  },
  {
    name: 'K3',
    does: 'a conflict that comes later is not listed',
    find: 'for (const key of changed) refresh(key)\n',
    replace: '',
    world: apart,
    seed: 1,
  },
  {
    name: 'K5',
    does: 'where a function decides, the greatest is shown',
    find: 'const merged = merge === undefined ? null : tryMerge(schema, merge, base?.value, sides)',
    replace: 'const merged = merge !== undefined ? null : null',
    world: apart,
    seed: 1,
  },
]
