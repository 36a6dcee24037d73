/** Which worlds are run: from a seed on, each seed in every topology, for so many seeds or for so long. */
import { createChance, type Fault, type Pace } from '@rejoin/testkit'
import { writeFaults, type Arguments } from './arguments.ts'
import type { World } from './lanes.ts'
import type { Plant } from './plants/plant.ts'
import { topologies } from './topologies.ts'

/** A seed that has hardly been run before. */
export function freshSeed(): number {
  return Date.now() % 1_000_000_000
}

/** One after the other seed: at a walk everything comes to rest between two steps now and then, at a run hardly ever. */
const paces: readonly Pace[] = [
  { shortMs: 80, longMs: 4000, longOften: 0.15 },
  { shortMs: 40, longMs: 4000, longOften: 0.05 },
  { shortMs: 15, longMs: 2000, longOften: 0.03 },
]

/** One that nobody has run before today, and everybody runs today: what fails in the morning fails at noon. */
export function seedOfTheDay(): number {
  return Math.floor(Date.now() / 86_400_000) * 1000
}

/** Without end. */
export function* worldsFrom(seed: number, names: readonly string[], steps: number): Generator<World, never> {
  for (let next = seed; ; next++) {
    for (const name of names) {
      const topology = topologies[name]
      if (topology === undefined)
        throw new Error(`there is no topology ${name}; there are ${Object.keys(topologies).join(', ')}`)
      yield { ...topology, seed: next, steps, topology: name, pace: paces[next % paces.length] }
    }
  }
}

/**
 * The same with few kinds of faults, but these often, on a device or two: what two of them make of each other is met
 * there sooner. The seed says which.
 */
export function narrowed(world: World): World {
  const { faults = {}, seed } = world
  const chance = createChance(seed)
  const names = Object.keys(faults) as Fault[]
  const few: Partial<Record<Fault, number>> = {}
  if (faults.refusal !== undefined && chance.chance(0.6)) few.refusal = faults.refusal
  for (let kinds = 2 + chance.below(3); kinds > 0 && names.length > 0; kinds--) {
    const name = chance.pick(names)
    few[name] = Math.min(oftenMax, (faults[name] ?? 0) * chance.pick([5, 10, 20]))
  }
  return { ...world, isNarrow: true, faults: few, steps: 60 + chance.below(41), devices: 1 + chance.below(2) }
}

const oftenMax = 0.35

/** The same where the product's bounds are tight (tight/bounds.ts), so that no pull of several rows comes in one piece. */
export function tightened(world: World): World {
  return { ...world, comesInSteps: true }
}

export function* each<T>(worlds: Iterable<T>, change: (world: T) => T): Generator<T> {
  for (const world of worlds) yield change(world)
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

/** With steps and faults of its own, where these are given. */
export function changed(world: World, { steps, faults }: Pick<Arguments, 'steps' | 'faults'>): World {
  return { ...world, steps: steps ?? world.steps, faults: faults ?? world.faults }
}

/** The command that runs a history again, with faults of its own where these are given, and shrinks what it finds. */
export function commandFor(
  { seed, steps, topology, isNarrow, comesInSteps }: World,
  planted?: Plant,
  faults?: Partial<Record<Fault, number>>,
): string {
  const options = [
    `--seed ${seed} --runs 1 --steps ${steps}`,
    topology === '' ? '' : `--topology ${topology}`,
    isNarrow === true ? '--narrow' : '',
    comesInSteps === true ? '--tight' : '',
    planted === undefined ? '' : `--plant '${planted.name}'`,
    faults === undefined ? '' : `--faults '${writeFaults(faults)}'`,
  ]
  return `npm run sim -- ${options.filter(option => option !== '').join(' ')}`
}

/** From a seed on, in the world in which a plant shows soonest. Without end. */
export function* plantedFrom(seed: number, { world }: Plant): Generator<World, never> {
  for (let next = seed; ; next++) yield { ...world, seed: next, topology: '' }
}
