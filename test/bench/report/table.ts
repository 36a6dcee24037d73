/** The figures as a table of Markdown. */
import type { Figure } from '../figure.ts'
import type { Circumstances } from './machine.ts'

/** `medians` says of what: how many rounds, and how much in each. */
export function tableOf(
  figures: readonly Figure[],
  { date, machine, versions }: Circumstances,
  medians: string,
): string {
  const rows = figures.map(({ workload, figure, unit, rejoin, limit, ratio, target, holds }) => [
    workload,
    figure,
    `${rejoin} ${unit}`,
    limit === null ? '–' : `${limit} ${unit}`,
    ratio === null ? '–' : `${ratio}`,
    target,
    holds ? 'yes' : '**no**',
  ])
  const head = ['workload', 'figure', 'Rejoin', 'limit', 'ratio', 'target', 'holds']
  const lines = [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`)
  return [
    '# Readings',
    '',
    `Measured on ${date}: ${machine}; ${versions}. ${medians}, each limit measured beside it in the same run.`,
    '',
    '![Each figure by its limit, and its target](ratios.svg)',
    '',
    ...lines,
    '',
  ].join('\n')
}
