/** Which worlds are run: from a seed on, each seed in every topology, for so many seeds or for so long. */
import type { World } from './lanes.ts'
import { topologies } from './topologies.ts'

/** A seed that has hardly been run before. */
export function freshSeed(): number {
  return Date.now() % 1_000_000_000
}

/** Without end. */
export function* worldsFrom(seed: number, names: readonly string[], steps: number): Generator<World, never> {
  for (let next = seed; ; next++) {
    for (const name of names) {
      const topology = topologies[name]
      if (topology === undefined)
        throw new Error(`there is no topology ${name}; there are ${Object.keys(topologies).join(', ')}`)
      yield { ...topology, seed: next, steps, topology: name }
    }
  }
}

/** As many as there is time for, and so many whatever they take. */
export function* forSeconds<T>(worlds: Iterable<T>, seconds: number, least: number): Generator<T> {
  const end = performance.now() + seconds * 1000
  let given = 0
  for (const world of worlds) {
    if (given >= least && performance.now() >= end) return
    given += 1
    yield world
  }
}

export function* first<T>(count: number, worlds: Iterable<T>): Generator<T> {
  let given = 0
  for (const world of worlds) {
    if (given === count) return
    given += 1
    yield world
  }
}

/** The command that runs a history again, and shrinks what it finds. */
export function commandFor({ seed, steps, topology }: World): string {
  return `npm run sim -- --seed ${seed} --runs 1 --steps ${steps} --topology ${topology}`
}
