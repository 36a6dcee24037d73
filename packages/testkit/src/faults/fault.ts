/** Faults by name, and how often each happens at a step where all of them do. */
import type { People } from '../application/people.ts'
import type { Cluster, OpenTab } from '../cluster.ts'

export const faultNames = [
  'cut',
  'silent-cut',
  'tab-crash',
  'device-crash',
  'power-loss',
  'freeze',
  'relay-restart',
  'relay-rollback',
  'refusal',
  'skew',
  'disk-full',
  'clone',
  'client-rollback',
  'long-absence',
  'lost-verdict',
  'duplicate-connection',
  'storage-abort',
  'clock-jump',
  'hostile',
  'schema',
  'write-during-pull',
  'half-cut',
  'slow',
  'storage-crash',
  'relay-crash',
  'relay-outage',
  'relay-copy',
  'relay-loss',
  'relay-skew',
  'forgetting',
  'eviction',
  'long-journal',
  'intruder',
  'slow-disk',
  'relay-full',
  'read-only',
] as const
export type Fault = (typeof faultNames)[number]

export const everyFault: Readonly<Record<Fault, number>> = {
  cut: 0.03,
  'silent-cut': 0.01,
  'tab-crash': 0.02,
  'device-crash': 0.01,
  'power-loss': 0.01,
  freeze: 0.01,
  'relay-restart': 0.02,
  'relay-rollback': 0.02,
  refusal: 1,
  skew: 0.01,
  'disk-full': 0.01,
  clone: 0.008,
  'client-rollback': 0.01,
  'long-absence': 0.002,
  'lost-verdict': 0.02,
  'duplicate-connection': 0.005,
  'storage-abort': 0.008,
  'clock-jump': 0.003,
  hostile: 0.03,
  schema: 0.005,
  'write-during-pull': 0.02,
  'half-cut': 0.008,
  slow: 0.006,
  'storage-crash': 0.02,
  'relay-crash': 0.02,
  'relay-outage': 0.005,
  'relay-copy': 0.003,
  'relay-loss': 0.002,
  'relay-skew': 0.005,
  forgetting: 0.002,
  eviction: 0.003,
  'long-journal': 0.001,
  intruder: 0.01,
  'slow-disk': 0.006,
  'relay-full': 0.006,
  'read-only': 0.006,
}

/** What faults happen to. */
export interface FaultWorld {
  readonly cluster: Cluster
  readonly people: People
  /** Tells of it in the trace. */
  readonly say: (what: string) => void
  /** A tab that runs, or null if none does. */
  readonly pickTab: () => OpenTab | null
}

/** Lets it happen, if it can. Whether it did: what did not happen is not counted. */
export type Strike = () => boolean | Promise<boolean>
