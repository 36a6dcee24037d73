/**
 * The figures as a picture: of each, a bar for the ratio to its limit and a line where its target is, on a scale of
 * powers of ten. Where there is no limit, the target itself is what it is measured by.
 */
import type { Figure } from '../figure.ts'

const row = 18
const left = 330
const width = 520
const decades = [-2, 2] as const

export function plotOf(figures: readonly Figure[], caption: string): string {
  const height = (figures.length + 4) * row
  const lines = decadeLines(figures.length).concat(figures.flatMap(barOf))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + width + 90}" height="${height}" font-family="sans-serif" font-size="11">`,
    '<rect width="100%" height="100%" fill="white"/>',
    text(8, row, 'Ratio to the limit (bar) and target (line); blue holds, red does not', 'start'),
    ...lines,
    text(8, height - 6, caption, 'start'),
    '</svg>',
    '',
  ].join('\n')
}

function decadeLines(count: number): string[] {
  const [first, last] = decades
  return Array.from({ length: last - first + 1 }, (_, i) => {
    const x = placeOf(10 ** (first + i))
    return [
      `<line x1="${x}" x2="${x}" y1="${2 * row}" y2="${(count + 2) * row}" stroke="#ddd"/>`,
      text(x, 2 * row - 4, `${10 ** (first + i)}`, 'middle'),
    ].join('\n')
  })
}

function barOf(figure: Figure, index: number): string[] {
  const { workload, figure: name, rejoin, unit, ratio, bound, holds } = figure
  const y = (index + 2) * row
  const measured = bound.of === 'ratio' ? (ratio ?? Number.NaN) : rejoin / bound.value
  const target = bound.of === 'ratio' ? bound.value : 1
  const from = placeOf(1)
  const to = placeOf(measured)
  const at = placeOf(target)
  return [
    text(left - 8, y + 13, `${workload} · ${name}`, 'end'),
    `<rect x="${Math.min(from, to)}" y="${y + 4}" width="${Math.max(1, Math.abs(to - from))}" height="${row - 8}" fill="${holds ? '#4a7fb5' : '#c0504d'}"/>`,
    `<line x1="${at}" x2="${at}" y1="${y + 1}" y2="${y + row - 1}" stroke="black" stroke-width="2"/>`,
    text(left + width + 6, y + 13, `${rejoin} ${unit}`, 'start'),
  ]
}

function placeOf(ratio: number): number {
  const [first, last] = decades
  const exponent = Number.isFinite(ratio) && ratio > 0 ? Math.log10(ratio) : ratio === 0 ? first : last
  const share = (Math.min(last, Math.max(first, exponent)) - first) / (last - first)
  return Math.round(left + share * width)
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${escaped}</text>`
}
