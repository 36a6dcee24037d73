/** What the simulator's command is asked for. */
import { parseArgs } from 'node:util'
import { faultNames, type Fault } from '@rejoin/testkit'
import { ArgumentError, oneOf, wholeNumber } from '../arguments.ts'
import { plantsOf } from './plants/all.ts'
import type { Plant } from './plants/plant.ts'
import { topologies } from './topologies.ts'

export interface Arguments {
  readonly seed: number | undefined
  /** So many seeds. */
  readonly runs: number
  /** Instead of so many: for so long. */
  readonly seconds: number | undefined
  readonly steps: number | undefined
  readonly topology: string | undefined
  /** Instead of those of the topology: how often each happens at a step. */
  readonly faults: Partial<Record<Fault, number>> | undefined
  readonly narrow: boolean
  readonly tight: boolean
  /** How many histories run at a time, each on a core. */
  readonly jobs: number
  /** Looks for these planted bugs; or, where a seed is given, runs histories with the one. */
  readonly plants: readonly Plant[]
  /** Looks for all of them. */
  readonly everyPlant: boolean
  /** The first finding alone, and nothing is shrunk. */
  readonly brief: boolean
}

/** Throws what says which of them cannot be meant. */
export function readArguments(given: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...given],
    options: {
      seed: { type: 'string' },
      runs: { type: 'string', default: '20' },
      seconds: { type: 'string' },
      steps: { type: 'string' },
      topology: { type: 'string' },
      faults: { type: 'string' },
      narrow: { type: 'boolean', default: false },
      tight: { type: 'boolean', default: false },
      jobs: { type: 'string', default: '1' },
      plant: { type: 'string' },
      plants: { type: 'boolean', default: false },
      brief: { type: 'boolean', default: false },
    },
  })
  const { seed, runs, seconds, steps, topology, faults, jobs, plant } = values
  const plants = plant === undefined ? [] : plantsOf(plant)
  if (plant !== undefined && plants.length === 0)
    throw new ArgumentError(`there is no plant '${plant}'; \`--plants\` names all of them`)
  if (seed !== undefined && plants.length > 1)
    throw new ArgumentError(`with a seed, one of ${plants.map(({ name }) => `'${name}'`).join(', ')}`)
  return {
    seed: seed === undefined ? undefined : wholeNumber('seed', seed, 0),
    runs: wholeNumber('runs', runs, 1),
    seconds: seconds === undefined ? undefined : wholeNumber('seconds', seconds, 1),
    steps: steps === undefined ? undefined : wholeNumber('steps', steps, 1),
    topology: topology === undefined ? undefined : oneOf('topology', topology, Object.keys(topologies)),
    faults: faults === undefined ? undefined : readFaults(faults),
    narrow: values.narrow,
    tight: values.tight,
    jobs: wholeNumber('jobs', jobs, 1),
    plants,
    everyPlant: values.plants,
    brief: values.brief,
  }
}

/** As in `cut=0.1,clone=0.05`. */
function readFaults(text: string): Partial<Record<Fault, number>> {
  const faults: Partial<Record<Fault, number>> = {}
  for (const part of text.split(',').filter(one => one !== '')) {
    const [name = '', often = ''] = part.split('=')
    const number = Number(often)
    if (often === '' || !(number >= 0 && number <= 1))
      throw new ArgumentError(`--faults says how often each happens at a step, as cut=0.1, and not '${part}'`)
    faults[oneOf('fault', name, faultNames) as Fault] = number
  }
  return faults
}

export function writeFaults(faults: Partial<Record<Fault, number>>): string {
  return Object.entries(faults)
    .map(([name, often]) => `${name}=${often}`)
    .join()
}
