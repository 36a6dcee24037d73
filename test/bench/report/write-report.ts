/** Writes what a whole run measured into `results`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Figure } from '../figure.ts'
import { circumstances } from './machine.ts'
import { plotOf } from './plot.ts'
import { tableOf } from './table.ts'

export function writeReport(figures: readonly Figure[], medians: string): string {
  const folder = join(import.meta.dirname, '../results')
  const known = circumstances()
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'readings.md'), tableOf(figures, known, medians))
  writeFileSync(
    join(folder, 'ratios.svg'),
    plotOf(figures, `${known.date}, ${known.machine}; ${known.versions}`),
  )
  return folder
}
