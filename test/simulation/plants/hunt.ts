/**
 * Looks for the planted bug of this process, in the plant's world: with the seed that caught it last, then with others.
 * Given how many histories to leave out and how many there are at most; writes what was found as JSON, or null.
 */
import { runHistory } from '@rejoin/testkit'
import { plantNamed } from './all.ts'
import type { Found } from './run.ts'

const plant = plantNamed(process.env['REJOIN_PLANT'])
const [from = 0, tries = 1] = process.argv.slice(2).map(Number)
let found: Found | null = null
for (let tried = from; tried < tries && found === null; tried++) {
  const seed = tried === 0 ? plant.seed : tried < plant.seed ? tried : tried + 1
  const [finding] = (await runHistory({ ...plant.world, seed })).findings
  if (finding !== undefined) found = { tried, seed, finding }
}
console.log(JSON.stringify(found))
process.exit(0)
