/** A workload: what it does to each contender, and the figures that come of it. */
import type { Contender } from '../contenders/contender.ts'
import { figureOf, median, type Figure, type Named, type Target } from '../figure.ts'

/** How much of it: the whole, as figures are stated; or little, to see a doubling in a test run. */
export type Extent = 'full' | 'short'

export interface Workload {
  readonly name: string
  readonly about: string
  run(rounds: number, extent: Extent): Promise<readonly Figure[]>
}

/** Readings of one round by figure. */
export type Readings = Readonly<Record<string, number>>

/**
 * Measures Rejoin and its limit by turns, so that both see the same minutes of the machine, and takes medians.
 */
export async function compare(
  contenders: { readonly rejoin: Contender; readonly limit: Contender },
  rounds: number,
  measure: (contender: Contender) => Promise<Readings>,
): Promise<{ readonly rejoin: Readings; readonly limit: Readings }> {
  const rejoin: Readings[] = []
  const limit: Readings[] = []
  for (let round = 0; round < rounds; round++) {
    limit.push(await measure(contenders.limit))
    rejoin.push(await measure(contenders.rejoin))
  }
  return { rejoin: medians(rejoin), limit: medians(limit) }
}

export function medians(readings: readonly Readings[]): Readings {
  const names = Object.keys(readings[0] ?? {})
  return Object.fromEntries(names.map(name => [name, median(readings.map(one => one[name] ?? Number.NaN))]))
}

export interface Aim {
  readonly figure: string
  readonly unit: string
  readonly target: Target
}

/** Figures in the order of their aims. */
export function figuresOf(
  workload: string,
  aims: readonly Aim[],
  { rejoin, limit }: { readonly rejoin: Readings; readonly limit: Readings },
): readonly Figure[] {
  return aims.map(({ figure, unit, target }) => {
    const named: Named = { workload, figure, unit }
    return figureOf(named, target, rejoin[figure] ?? Number.NaN, limit[figure] ?? null)
  })
}
