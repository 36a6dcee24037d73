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
  const { text, holds } = judge(target, rejoin, ratio)
  return {
    ...named,
    rejoin: round(rejoin),
    limit: limit === null ? null : round(limit),
    ratio: ratio === null ? null : round(ratio),
    target: text,
    holds,
  }
}

function judge(target: Target, value: number, ratio: number | null): { text: string; holds: boolean } {
  if ('ratioMax' in target)
    return { text: `≤ ${target.ratioMax} × limit`, holds: ratio !== null && ratio <= target.ratioMax }
  if ('ratioMin' in target)
    return { text: `≥ ${target.ratioMin} × limit`, holds: ratio !== null && ratio >= target.ratioMin }
  if ('max' in target) return { text: `≤ ${target.max}`, holds: value <= target.max }
  return { text: `≥ ${target.min}`, holds: value >= target.min }
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
