/**
 * Paths: what rules do when they act, as it can be seen from outside: in frames, in what devices store, in what
 * applications are told. A run in which a path was never taken shows nothing of its rule.
 */
import type { ClusterOptions } from '../cluster.ts'

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
  'text-folded',
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
  'met',
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

/** What a path needs to be taken at all. Others need only that something goes wrong. */
const needs: Partial<Readonly<Record<Path, (cluster: ClusterOptions) => boolean>>> = {
  switch: ({ relays = 1 }) => relays > 1,
  'peer-begins': ({ relays = 1 }) => relays > 1,
  passed: ({ links }) => links === 'followers',
  'no-leader': ({ links }) => links === 'followers',
  'begin-anew': ({ links }) => links === 'followers',
  quorum: ({ ackReplicas = 0 }) => ackReplicas > 0,
  met: ({ write }) => write !== undefined,
}

/** Whether a cluster in which things go wrong takes a path sooner or later. */
export function canBeTaken(path: Path, cluster: ClusterOptions): boolean {
  return needs[path]?.(cluster) ?? true
}

export type PathCounts = Readonly<Record<Path, number>>

/** Notes that a path was taken. */
export type Take = (path: Path) => void

export function noPaths(): Record<Path, number> {
  return Object.fromEntries(pathNames.map(name => [name, 0])) as Record<Path, number>
}
