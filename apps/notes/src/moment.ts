/** Moments in words, in the reader's own language and time zone. */

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' })
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const dayAndYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' })
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' })

/** "14:05" today, "25 Nov, 14:05" this year, "25 Nov 2024, 14:05" before. */
export function showMoment(time: number, now: number): string {
  const day = showDay(time, now)
  return day === 'Today' ? clock.format(time) : `${day}, ${clock.format(time)}`
}

/** "Today", "Yesterday", "25 Nov", "25 Nov 2024". */
export function showDay(time: number, now: number): string {
  const days = Math.round((startOfDay(now) - startOfDay(time)) / 86_400_000)
  if (days === 0) return 'Today'
  if (days === 1) return 'Yesterday'
  const sameYear = new Date(time).getFullYear() === new Date(now).getFullYear()
  return (sameYear ? dayOfYear : dayAndYear).format(time)
}

/** Everything there is to say about a moment, for a tooltip. */
export function showFull(time: number): string {
  return full.format(time)
}

function startOfDay(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0)
}
