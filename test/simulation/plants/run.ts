/**
 * Runs histories with a planted bug, in a process of its own, and says which seed caught it: one that finds something
 * with the bug, and nothing without.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { runHistory } from '@rejoin/testkit'
import type { Plant } from './plant.ts'

export interface Found {
  /** Histories before it. */
  readonly tried: number
  readonly seed: number
  readonly finding: string
}

/** So many histories are tried until a plant counts as missed. */
const triesMax = 20
/** No history goes on for so long, not even on a machine that has much else to do. */
const patienceMs = 300_000

/** Null if nothing was found, or the same without the bug. */
export async function catchPlant(plant: Plant): Promise<Found | null> {
  for (let from = 0; from < triesMax; ) {
    const found = await hunt(plant, from)
    if (found === null) return null
    // A name that is not there is caught by any history, and shows nothing of the rule that the plant breaks.
    if (found.finding.includes('ReferenceError'))
      throw new Error(`${plant.name} does not run: ${found.finding}`)
    const { findings } = await runHistory({ ...plant.world, seed: found.seed })
    if (findings.length === 0) return found
    from = found.tried + 1
  }
  return null
}

function hunt({ name }: Plant, from: number): Promise<Found | null> {
  const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url))
  const args = ['--import', here('hook.ts'), here('hunt.ts'), `${from}`, `${triesMax}`]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      env: { ...process.env, REJOIN_PLANT: name },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: patienceMs,
    })
    let out = ''
    let errors = ''
    child.stdout.on('data', data => (out += data))
    child.stderr.on('data', data => (errors += data))
    child.on('error', reject)
    child.on('close', code => {
      // The last line: Yjs writes on the same stream when a document meets its own client id.
      if (code === 0) resolve(JSON.parse(out.trimEnd().split('\n').at(-1) ?? '') as Found | null)
      else reject(new Error(`${name} could not be run: ${errors || 'a history did not end'}`))
    })
  })
}

/** All of these, so many at a time. Whether each was caught. */
export async function catchAll(plants: readonly Plant[], jobs: number): Promise<boolean> {
  const left = plants.values()
  let caught = 0
  async function drive(): Promise<void> {
    for (const plant of left) {
      const found = await catchPlant(plant)
      if (found !== null) caught += 1
      console.log(tellOf(plant, found))
    }
  }
  await Promise.all(Array.from({ length: jobs }, drive))
  console.log(`${plants.length} planted, ${caught} caught`)
  return caught === plants.length
}

function tellOf({ name, does }: Plant, found: Found | null): string {
  const how = found === null ? 'NOT CAUGHT' : `seed ${found.seed}: ${found.finding.split('\n')[0]}`
  return `${name}: ${does} -- ${how}`
}
