/** A figure of a workload: what Rejoin took, what the limit took in the same run, and whether that is as it must be. */
export interface Figure {
  readonly workload: string
  readonly figure: string
  readonly unit: string
  /** Median of the rounds. */
  readonly rejoin: number
  /** The same of the limit, measured beside it; null where there is none but the target itself. */
  readonly limit: number | null
  /** `rejoin / limit`; null where there is no limit. */
  readonly ratio: number | null
  /** What must hold, for a person to read. */
  readonly target: string
  /** The same as a number, and of what. */
  readonly bound: { readonly of: 'ratio' | 'figure'; readonly value: number }
  readonly holds: boolean
}

/** What a figure must be: a bound of the ratio to the limit, or of the figure itself. */
export type Target =
  | { readonly ratioMax: number }
  | { readonly ratioMin: number }
  | { readonly max: number }
  | { readonly min: number }

export interface Named {
  readonly workload: string
  readonly figure: string
  readonly unit: string
}

export function figureOf(named: Named, target: Target, rejoin: number, limit: number | null): Figure {
  const ratio = limit === null || limit === 0 ? null : rejoin / limit
  const { text, bound, holds } = judge(target, rejoin, ratio)
  return {
    ...named,
    rejoin: round(rejoin),
    limit: limit === null ? null : round(limit),
    ratio: ratio === null ? null : round(ratio),
    target: text,
    bound,
    holds,
  }
}

function judge(
  target: Target,
  value: number,
  ratio: number | null,
): Pick<Figure, 'bound' | 'holds'> & { readonly text: string } {
  const isRatio = 'ratioMax' in target || 'ratioMin' in target
  const isMax = 'ratioMax' in target || 'max' in target
  const [bound = Number.NaN] = Object.values(target) as readonly number[]
  const measured = isRatio ? (ratio ?? Number.NaN) : value
  return {
    text: `${isMax ? '≤' : '≥'} ${bound}${isRatio ? ' × limit' : ''}`,
    bound: { of: isRatio ? 'ratio' : 'figure', value: bound },
    holds: isMax ? measured <= bound : measured >= bound,
  }
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
