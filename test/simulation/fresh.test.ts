// Histories that nobody has run before, in every topology with everything that can go wrong: hundreds of short ones in a
// test run, others each day, and ten minutes of long ones in a soak. What one of them finds was perhaps there before whatever was changed last;
// its seed is told, and runs it again.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { soak } from '../soak.ts'
import { runWorlds } from './lanes.ts'
import { topologies } from './topologies.ts'
import { commandFor, forSeconds, freshSeed, seedOfTheDay, worldsFrom } from './worlds.ts'

const seconds = soak(600, 40)
const steps = soak(150, 40)
const names = Object.keys(topologies)
/** However slow the machine is, every topology is run so often. */
const rounds = 3
/** For these, on a machine that has much else to do. */
const patienceMs = 240_000

test(
  '[V1-V4 V6-V10 V12 V13 V15] every promise holds in histories that nobody has run before',
  async () => {
    const seed = soak(freshSeed(), seedOfTheDay())
    const worlds = forSeconds(worldsFrom(seed, names, steps), seconds, rounds * names.length)
    const found: string[] = []
    let histories = 0
    let acknowledged = 0
    await runWorlds(worlds, availableParallelism(), async (world, result) => {
      histories += 1
      acknowledged += result.acknowledged
      if (result.findings.length > 0) found.push(`${result.findings[0]}\n  again: ${commandFor(world)}`)
    })
    console.log(`${histories} histories from seed ${seed} on`)
    expect(found).toEqual([])
    expect(acknowledged).toBeGreaterThan(histories)
  },
  seconds * 1000 + patienceMs,
)

const tightSeconds = 300
/** The same ones in each test run, and in a soak such that nobody has run. */
const tightWorlds = soak(['--seconds', `${tightSeconds}`], ['--seed', '1', '--runs', '2'])

test(
  '[V1-V4 V6-V10 V12 V13 V15] so it does where pages, frames and windows hold two or three of what they hold thousands of elsewhere',
  async () => {
    const command = fileURLToPath(new URL('sim.ts', import.meta.url))
    const args = ['--tight', '--steps', '40', ...tightWorlds, '--jobs', `${availableParallelism()}`]
    const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.setEncoding('utf8').on('data', data => (said += data))
    const [code] = (await once(child, 'close')) as [number | null]
    expect(said).toMatch(/[1-9]\d* histories from seed \d+ on/)
    expect(code, said).toBe(0)
  },
  tightSeconds * 1000 + patienceMs,
)
