/** A tab whose store answers late, while another one puts what it wrote into pages: it still learns what became of it. */
import type { OpenStorage } from '@rejoin/core'
import { createChance, createSimulatedRelay, type SimulatedTab } from '@rejoin/testkit'
import { expect, it } from 'vitest'
import { createWorld, epoch, until, within, type Notes, type World } from './engine-world.ts'

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

/** Writes so much that pages take the place of the journal. */
async function fillPages(world: World, replica: Notes): Promise<void> {
  const chunks = (): number =>
    world.device.disk.image().get('rejoin//space')?.stores.get('journal')?.keys.length ?? 0
  for (let i = 0; i < 24; i++)
    await within(
      world.clock,
      replica.notes.insert({ title: 'x'.repeat(50_000), color: `${i}` }).reached('local'),
    )
  await until(world.clock, () => chunks() < 5)
}

/** Two tabs of a device whose clock is wrong, and no relay yet: what the second one wrote is on their disk, and it is frozen. */
async function writtenByFrozen(skewMs = 0) {
  const world = createWorld()
  const rule = { allows: true, relay: world.relay }
  rule.relay = createSimulatedRelay({
    url: 'ws://relay',
    clock: world.clock,
    chance: createChance(7),
    network: world.network,
    epoch: () => epoch,
    accept: ({ key }) => rule.allows || key !== 'notes/overtaken' || 'not now',
    peerToken: '',
  })
  world.device.skewMs = skewMs
  const first = await world.open(world.device.openTab())
  const tab = world.device.openTab()
  const second = await world.open(tab)
  const written = second.notes.insert({ title: 'overtaken', color: 'amber' }, { id: 'overtaken' })
  await within(world.clock, written.reached('local'))
  await until(world.clock, () => first.notes.get(written.id) !== undefined)
  tab.scope.freeze()
  // Too large to be announced, so that it reads when it goes on, and is not told of each chunk.
  first.notes.insert({ title: 'x'.repeat(50_000), color: 'amber' }, { id: 'large' })
  await within(world.clock, first.notes.update('large', { color: 'teal' }).reached('local'))
  return { world, first, tab, written, rule }
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
  await fillPages(world, first)
  release()
  await within(world.clock, written.reached('relay'))
  expect(second.status.get().pending).toBe(0)
})

it('[A2] what was refused while its tab was frozen is told to be so', async () => {
  const { world, first, tab, written, rule } = await writtenByFrozen()
  rule.allows = false
  await rule.relay.start()
  await until(world.clock, () => first.quarantine.get().length > 0)
  rule.allows = true
  await fillPages(world, first)
  tab.scope.thaw()
  await expect(within(world.clock, written.reached('relay'))).rejects.toMatchObject({
    code: 'refused-by-rule',
  })
})

it('[A2] what was refused and thrown away meanwhile is not told to be on a relay', async () => {
  const { world, first, tab, written, rule } = await writtenByFrozen()
  rule.allows = false
  await rule.relay.start()
  await until(world.clock, () => first.quarantine.get().length > 0)
  await within(world.clock, first.quarantine.discard(first.quarantine.get()[0]?.id as never))
  rule.allows = true
  await fillPages(world, first)
  tab.scope.thaw()
  await expect(within(world.clock, written.reached('relay', { timeoutMs: 30_000 }))).rejects.toMatchObject({
    code: 'ack-timeout',
    details: { reached: 'local' },
  })
})

it('[W6] what was made anew meanwhile is told to be on a relay when it is, and not before', async () => {
  const { world, first, tab, written, rule } = await writtenByFrozen(3_600_000)
  await rule.relay.start()
  rule.relay.crashAfterVerdict()
  await until(world.clock, () => !rule.relay.alive)
  // The refusal is on its way.
  await until(world.clock, () => first.status.get().connection !== 'online')
  first.pause()
  await fillPages(world, first)
  tab.scope.thaw()
  await expect(within(world.clock, written.reached('relay', { timeoutMs: 30_000 }))).rejects.toMatchObject({
    code: 'ack-timeout',
    details: { reached: 'local' },
  })
  first.resume()
  await within(world.clock, written.reached('relay'))
})

it('[W6] what was made anew and taken meanwhile is told to be on a relay', async () => {
  const { world, first, tab, written, rule } = await writtenByFrozen(3_600_000)
  await rule.relay.start()
  await within(world.clock, first.settled())
  await fillPages(world, first)
  tab.scope.thaw()
  await within(world.clock, written.reached('relay'))
})
