/** A tab whose store answers late, while another one puts what it wrote into pages: it still learns what became of it. */
import type { OpenStorage } from '@rejoin/core'
import type { SimulatedTab } from '@rejoin/testkit'
import { expect, it } from 'vitest'
import { createWorld, until, within } from './engine-world.ts'

/** A tab whose store does everything in time, and tells of it when the gate is open. */
function gated(tab: SimulatedTab): { readonly tab: SimulatedTab; hold(): void; release(): void } {
  let gate = Promise.resolve()
  let open = (): void => {}
  const openStorage: OpenStorage = async (...options) => {
    const storage = await tab.ports.openStorage(...options)
    return {
      ...storage,
      async transact(transaction) {
        const answer = await storage.transact(transaction)
        await gate
        return answer
      },
    }
  }
  return {
    tab: { ...tab, ports: { ...tab.ports, openStorage } },
    hold() {
      gate = new Promise(resolve => {
        open = resolve
      })
    },
    release: () => open(),
  }
}

it('[L2] a write that was acknowledged before its tab heard that it is on disk is pending no longer', async () => {
  const world = createWorld()
  await world.relay.start()
  const first = await world.open(world.device.openTab())
  const { tab, hold, release } = gated(world.device.openTab())
  const second = await world.open(tab)
  await until(world.clock, () => second.status.get().synced)
  hold()
  // Too large to be announced, so that the second tab reads, and waits for the answer.
  first.notes.insert({ title: 'x'.repeat(50_000), color: 'amber' })
  await world.clock.advance(100)
  const written = second.notes.insert({ title: 'overtaken', color: 'amber' })
  await until(world.clock, () => first.notes.get(written.id) !== undefined)
  for (let i = 0; i < 24; i++) first.notes.insert({ title: 'x'.repeat(50_000), color: `${i}` })
  await within(world.clock, first.settled())
  const records = (store: string): number =>
    world.device.disk.image().get('rejoin//space')?.stores.get(store)?.keys.length ?? 0
  await until(world.clock, () => records('pages') > 0 && records('journal') < 5)
  release()
  await within(world.clock, written.reached('relay'))
  expect(second.status.get().pending).toBe(0)
})
