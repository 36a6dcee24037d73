/** Clocks that are wrong: a little, by an hour, or by ten years. */
import type { FaultWorld, Strike } from './fault.ts'

export const yearMs: number = 365 * 24 * 3_600_000

export function clocks({ cluster, say }: FaultWorld): Record<'skew' | 'clock-jump' | 'relay-skew', Strike> {
  const { chance, clock } = cluster

  /** An hour is more than relays take, five minutes are not. */
  function draw(): number {
    const most = chance.chance(0.5) ? 3_600_000 : 300_000
    return chance.chance(0.3) ? 0 : (chance.next() - 0.5) * 2 * most
  }

  function set(clocked: { skewMs: number }, name: string): boolean {
    clocked.skewMs = draw()
    say(`the clock of ${name} is ${Math.round(clocked.skewMs / 1000)} s off`)
    return true
  }

  return {
    skew() {
      const device = chance.pick(cluster.devices)
      return set(device, device.name)
    },
    'relay-skew'() {
      const relay = chance.pick(cluster.relays)
      return set(relay, relay.url)
    },
    'clock-jump'() {
      const device = chance.pick(cluster.devices)
      device.skewMs = chance.pick([-10, 10]) * yearMs
      say(`the clock of ${device.name} jumps by ${device.skewMs / yearMs} years`)
      clock.after(chance.below(20_000), () => {
        device.skewMs = 0
      })
      return true
    },
  }
}
