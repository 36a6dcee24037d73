/**
 * Faults: what goes wrong in a history, each with its name. A fault counts when it really happened, since a history in
 * which nothing went wrong shows nothing.
 */
import type { People } from '../application/people.ts'
import type { Cluster } from '../cluster.ts'
import { createHostile } from '../hostile.ts'
import { createIntruder } from '../intruder.ts'
import { absence } from './absence.ts'
import { clocks } from './clocks.ts'
import { copies } from './copies.ts'
import { crashes } from './crashes.ts'
import { disks } from './disks.ts'
import type { Fault, FaultWorld, Strike } from './fault.ts'
import { freezing } from './freezing.ts'
import { links } from './links.ts'
import { journals } from './journals.ts'
import { permissions } from './permissions.ts'
import { relayDisks } from './relay-disks.ts'
import { relays } from './relays.ts'
import { versions } from './versions.ts'

export interface Faults {
  /** Lets a fault happen, if it can. */
  happen(fault: Fault): Promise<void>
  /** Some of those that are frozen go on. */
  thawSome(): void
  thawAll(): void
}

export function createFaults(
  cluster: Cluster,
  people: People,
  counts: Record<Fault, number>,
  say: (what: string) => void,
): Faults {
  const { chance } = cluster
  const everyRelay = [...cluster.relays]
  const world: FaultWorld = {
    cluster,
    people,
    say,
    pickTab() {
      const tabs = cluster.tabs.filter(({ tab }) => !tab.scope.frozen)
      return tabs.length === 0 ? null : chance.pick(tabs)
    },
  }
  const intruders = people.applications.map(application => createIntruder(cluster, application))
  const hostile = createHostile(cluster, people.applications)
  const { thawSome, thawAll, ...frozen } = freezing(world)
  const strikes: Readonly<Record<Fault, Strike>> = {
    ...links(world),
    ...crashes(world),
    ...frozen.strikes,
    ...relays(world),
    ...relayDisks(world),
    ...journals(world),
    ...clocks(world),
    ...disks(world),
    ...copies(world),
    ...absence(world),
    ...versions(world),
    ...permissions(world),
    hostile: hostile.strike,
    intruder: () => chance.pick(intruders)(),
    // The relays' own rule: it is on for the whole history, and counts what it refuses.
    refusal: () => false,
  }

  /** What was prepared, and happened when its moment came. */
  function countLate(): void {
    const sum = (all: readonly number[]): number => all.reduce((total, one) => total + one, 0)
    counts['lost-verdict'] = sum(everyRelay.map(({ lostVerdicts }) => lostVerdicts))
    counts['relay-crash'] = sum(everyRelay.map(({ commitCrashes }) => commitCrashes))
    counts['relay-full'] = sum(everyRelay.map(({ fullCommits }) => fullCommits))
    counts['storage-crash'] = sum(cluster.devices.map(({ trap }) => trap.sprung))
  }

  return {
    async happen(fault) {
      if (await strikes[fault]()) counts[fault] += 1
      countLate()
    },
    thawSome,
    thawAll,
  }
}
