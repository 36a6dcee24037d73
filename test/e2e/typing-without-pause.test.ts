// People who type and click without a pause over a slow and uneven network, and somebody who only looks on: nobody
// stalls, and the screen of who looks on is never far behind.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startRelayProcess } from '../chaos/harness/relay-process.ts'
import { until } from '../chaos/harness/until.ts'
import { soak } from '../soak.ts'
import { watchMachine } from './harness/machine.ts'
import { serveNotes, type NotesSite } from './harness/notes-site.ts'
import {
  beginTyping,
  bodyOf,
  fieldEveryMs,
  lookOn,
  seatTypist,
  togetherId,
  type Typist,
} from './harness/typists.ts'

interface Scene {
  readonly people: number
  readonly forMs: number
  /** For so long, in the middle, the last of them has no network. */
  readonly cutMs: number
}

let site: NotesSite
beforeAll(async () => {
  site = await serveNotes()
})
afterAll(() => site.close())

const minutes = { timeout: 240_000 }

test(
  'two people type into one note without a pause, and a third screen is never two seconds behind',
  minutes,
  () => typeTogether({ people: 2, forMs: soak(120_000, 3000), cutMs: 0 }),
)

test('of two who type one is cut off for five seconds, and the other does not notice', minutes, () =>
  typeTogether({ people: 2, forMs: soak(120_000, 9000), cutMs: 5000 }),
)

test('ten people type into one note without a pause', minutes, () =>
  typeTogether({ people: 10, forMs: soak(120_000, 3000), cutMs: 0 }),
)

async function typeTogether({ people, forMs, cutMs }: Scene): Promise<void> {
  const relay = await startRelayProcess()
  onTestFinished(() => relay.close())
  const everybody: Typist[] = []
  for (const letter of 'abcdefghij'.slice(0, people)) everybody.push(await seatTypist(letter, relay))
  await everybody[0]?.replica.notes.insert({ title: 'Together' }, { id: togetherId }).reached('relay')
  await until(
    () => everybody.every(({ replica }) => replica.notes.get(togetherId) !== undefined),
    'everybody has the note',
  )
  const onlooker = await lookOn(site, relay)
  const slowness = watchMachine()
  const hands = await Promise.all(everybody.map(beginTyping))
  const begun = performance.now()
  const end = begun + forMs
  // Who was cut off is heard of again at the latest when their back-off has ended.
  const cut = { from: begun + (forMs - cutMs) / 3, until: begun + (forMs - cutMs) / 3 + cutMs + 10_000 }
  const losing = cutMs === 0 ? null : loseNetwork(everybody.at(-1), cut.from - begun, cutMs)
  const isCutOff = (i: number, at: number): boolean =>
    losing !== null && i === people - 1 && at > cut.from - 2000 && at < cut.until

  let behindMs = 0
  while (performance.now() < end) {
    await delay(Math.min(1000, end - performance.now()))
    const now = performance.now()
    const counts = await onlooker.count()
    for (const [i, { letter }] of everybody.entries()) {
      const missing = hands[i]?.typedAt[counts[letter] ?? 0] ?? now
      if (!isCutOff(i, missing)) behindMs = Math.max(behindMs, now - missing)
    }
  }
  for (const { stop } of hands) stop()
  await losing
  const stopped = performance.now()
  const typed = Object.fromEntries(everybody.map(({ letter }, i) => [letter, hands[i]?.typedAt.length]))
  await expect.poll(() => onlooker.count(), { timeout: 10_000, interval: 20 }).toEqual(typed)
  await until(
    () => everybody.every(({ replica }) => replica.status.get().synced),
    'everybody is level with the relay',
  )
  const body = await onlooker.read()
  // Level is who knows of nothing more; the last letter of another one may be on its way to them for a wire's latency.
  for (const typist of everybody)
    await expect
      .poll(() => bodyOf(typist), { message: typist.letter, timeout: 2000, interval: 20 })
      .toBe(body)
  const levelMs = performance.now() - stopped

  const waits = hands
    .flatMap(({ acknowledged }, i) => acknowledged.filter(({ at }) => !isCutOff(i, at)))
    .map(({ ms }) => ms)
    .sort((a, b) => a - b)
  const p99 = waits[Math.floor(waits.length * 0.99)] ?? Number.POSITIVE_INFINITY
  const slow = slowness()
  const figures = [behindMs, p99, levelMs].map(Math.round).join(', ')
  console.log(
    `${people} typed ${body.length} letters; behind, p99 and level in ms: ${figures}, all of it ${slow.toFixed(1)} times slow`,
  )
  expect(waits.length).toBeGreaterThan((people * forMs) / fieldEveryMs / 10)
  expect(behindMs).toBeLessThan(2000 * slow)
  expect(p99).toBeLessThan(1000 * slow)
  // Whose back-off had not ended yet may need that long.
  expect(levelMs).toBeLessThan(losing !== null && cut.until > end ? 10_000 : 2000 * slow)
  expect(everybody.at(-1)?.wire.cuts).toBe(losing === null ? 0 : 1)
  expect(onlooker.complaints).toEqual([])
}

async function loseNetwork(typist: Typist | undefined, afterMs: number, forMs: number): Promise<void> {
  await delay(afterMs)
  typist?.wire.cut()
  await delay(forMs)
  typist?.wire.heal()
}
