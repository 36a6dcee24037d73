/** Runs the simulator against every planted bug, each in a process of its own, and says which seed caught it. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { plants, unseen, type Plant } from './plants.ts'

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

export interface PlantOutcome {
  readonly plant: Plant
  /** The line with the seed and the finding, or null if nothing was found. */
  readonly caught: string | null
}

/** Looks for one planted bug in at most this many seeds of each topology. */
export function runPlant(plant: Plant, seeds: number, steps: number): Promise<PlantOutcome> {
  const args = [
    '--import',
    here('plant-hook.ts'),
    here('sim.ts'),
    '--brief',
    '--runs',
    `${seeds}`,
    '--steps',
    `${steps}`,
  ]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      env: { ...process.env, REJOIN_PLANT: plant.name },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    let errors = ''
    child.stdout.on('data', data => (out += data))
    child.stderr.on('data', data => (errors += data))
    child.on('error', reject)
    child.on('close', code => {
      const caught = out.split('\n').find(line => line.startsWith('seed ')) ?? null
      if (code === 0 || caught !== null) resolve({ plant, caught })
      else reject(new Error(`${plant.name} could not be run: ${errors}`))
    })
  })
}

export async function runPlants(): Promise<boolean> {
  let caughtCount = 0
  for (const plant of plants) {
    const { caught } = await runPlant(plant, 60, 100)
    if (caught !== null) caughtCount += 1
    console.log(
      `${plant.name}: ${plant.does} -- ${caught === null ? 'NOT CAUGHT' : `caught by ${caught.slice(0, 120)}`}`,
    )
  }
  for (const { rule, why } of unseen) console.log(`${rule}: not planted, since ${why}`)
  console.log(`${plants.length} planted, ${caughtCount} caught`)
  return caughtCount === plants.length
}
