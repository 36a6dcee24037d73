/**
 * Paths: what rules do when they act, as it can be seen from outside: in frames, in what devices store, in what
 * applications are told. A run in which a path was never taken shows nothing of its rule.
 */
export const pathNames = [
  'resume',
  'new',
  'join',
  'switch',
  'behind',
  'give',
  'give-refused',
  'repaired',
  'ranges',
  'range-items',
  'want',
  'answer',
  'compared',
  'verdict-cut',
  'credit',
  'who-wrote',
  'refused-by-rule',
  'clock-skew',
  'unknown-there',
  'skipped',
  'go-on',
  'lost',
  'hidden',
  'partial',
  'text-tail',
  'text-head',
  'text-difference',
  'peer-begins',
  'passed',
  'no-leader',
  'begin-anew',
  'quorum',
  'own',
  'pulled',
  'verdicts',
  'remade',
  'remade-text',
  'built-on-refused',
  'quarantined',
  'settled',
  'forgotten',
  'frontier-replaced',
  'pages',
  'folded',
  'fence-taken',
  'fence-lost',
  'conflict',
  'conflict-settled',
  'merged',
  'deletion-conflict',
] as const
export type Path = (typeof pathNames)[number]

export type PathCounts = Readonly<Record<Path, number>>

/** Notes that a path was taken. */
export type Take = (path: Path) => void

export function noPaths(): Record<Path, number> {
  return Object.fromEntries(pathNames.map(name => [name, 0])) as Record<Path, number>
}
