/** What one of three relays refuses while another one has it, or may have it (SPEC L2, W6). */
import { RejoinError } from '@rejoin/core'
import { expect, it } from 'vitest'
import { until, within } from './engine-world.ts'
import { holds, note, three } from './three-relays.ts'

it('[L2] what one relay has, no refusal of another one takes out; it is told', async () => {
  const { world, relays, open } = await three((url, write) =>
    url === 'ws://c' && write.key.endsWith('/bad') ? 'not here' : true,
  )
  const alice = await open()
  await within(world.clock, alice.settled())
  const bad = note(alice, 'bad', 'bad')
  await within(world.clock, bad.reached('quorum'))
  await until(world.clock, () => alice.status.get().relays[2]?.refused === 1)
  expect(alice.quarantine.get()).toEqual([])
  expect(alice.notes.get('bad')?.title).toBe('bad')
  // And what stands on it, and beside it, goes on.
  await within(world.clock, alice.notes.update('bad', { color: 'teal' }).reached('quorum'))
  const beside = note(alice, 'beside')
  await within(world.clock, beside.reached('quorum'))
  // Only the two that touch what is refused there still wait for it.
  await until(world.clock, () => alice.status.get().relays[2]?.waiting === 2)
  expect(await holds(relays[2], beside.id)).toBe(true)
})

it('[W6] what all relays refuse goes to the quarantine once, and what stood on it with it', async () => {
  const { world, open } = await three((_, write) => (write.key.endsWith('/bad') ? 'nowhere' : true))
  const alice = await open()
  await within(world.clock, alice.settled())
  const bad = note(alice, 'bad', 'bad')
  const onBad = alice.notes.update('bad', { color: 'teal' })
  const good = note(alice, 'good')
  await within(world.clock, good.reached('quorum'))
  await expect(within(world.clock, bad.reached('relay'))).rejects.toMatchObject({ code: 'refused-by-rule' })
  await expect(within(world.clock, onBad.reached('relay'))).rejects.toBeInstanceOf(RejoinError)
  expect(alice.quarantine.get()).toHaveLength(2)
  await until(world.clock, () => alice.status.get().synced)
})

it('[W6] what a relay refuses while another one may have taken it waits for that one, and is not made twice', async () => {
  let isForbidden = false
  const { world, relays, open } = await three((url, write) =>
    isForbidden && url !== 'ws://c' && write.key.endsWith('/odd') ? 'not any more' : true,
  )
  const alice = await open()
  await within(world.clock, alice.settled())
  isForbidden = true
  // It takes the write, and the verdict is lost with it.
  relays[2].crashAfterVerdict()
  relays[2].loseVerdict()
  const odd = note(alice, 'odd', 'odd')
  await until(world.clock, () => alice.status.get().relays[2]?.connection !== 'online')
  await within(world.clock, note(alice, 'beside').reached('quorum'))
  await within(world.clock, odd.reached('relay'))
  expect(alice.quarantine.get()).toEqual([])
  expect(alice.notes.get('odd')?.views).toBe(0)
  expect(await holds(relays[2], 'odd')).toBe(true)
})

it('[W6] what a relay may have taken is not made anew after a reload either, though its writer was, for another write', async () => {
  const { world, relays, open } = await three((url, write) =>
    write.key.endsWith('/bad') || (url !== 'ws://c' && write.key.endsWith('/odd')) ? 'not here' : true,
  )
  const alice = await open()
  await until(world.clock, () => alice.status.get().relays.every(({ caughtUp }) => caughtUp))
  relays[2].loseVerdict()
  const odd = note(alice, 'odd', 'odd')
  await until(world.clock, () => alice.status.get().relays[2]?.connection !== 'online')
  world.network.cut('alice', 'ws://c', 'told')
  expect(await holds(relays[2], odd.id)).toBe(true)
  note(alice, 'bad', 'bad')
  alice.notes.update('bad', { color: 'teal' })
  await until(world.clock, () => alice.quarantine.get().length === 2)
  expect(alice.status.get().pending).toBe(1)
  await within(world.clock, alice.close())
  const again = await open()
  await world.clock.advance(30_000)
  expect(again.quarantine.get()).toHaveLength(2)
  expect(again.status.get().pending).toBe(1)
  world.network.heal('alice', 'ws://c')
  await until(world.clock, () => again.status.get().relays[2]?.waiting === 0)
  await world.clock.advance(5000)
  expect(again.quarantine.get()).toHaveLength(2)
  expect(again.notes.get('odd')?.title).toBe('odd')
})

it('[W6] what a relay that is gone may have taken waits for it until it is taken out of the list', async () => {
  const { world, relays, open } = await three((url, write) =>
    url !== 'ws://c' && write.key.endsWith('/odd') ? 'not here' : true,
  )
  const alice = await open()
  await until(world.clock, () => alice.status.get().relays.every(({ caughtUp }) => caughtUp))
  relays[2].loseVerdict()
  note(alice, 'odd', 'odd')
  await until(world.clock, () => alice.status.get().relays[2]?.connection !== 'online')
  relays[2].crash()
  await world.clock.advance(60_000)
  expect([alice.status.get().pending, alice.quarantine.get().length]).toEqual([1, 0])
  await within(world.clock, alice.close())
  const again = await open({ relays: ['ws://a', 'ws://b'] })
  await until(world.clock, () => again.status.get().synced)
  expect(again.quarantine.get()).toHaveLength(1)
})

it('[L2] what a relay alone has that is taken out of the list, and what the others refuse, is told its author, and shows on', async () => {
  const { world, open } = await three((url, write) =>
    url === 'ws://a' || !write.key.endsWith('/odd') ? true : 'not here',
  )
  const alice = await open()
  const odd = note(alice, 'odd', 'odd')
  await within(world.clock, odd.reached('relay'))
  await until(world.clock, () => alice.status.get().relays.every(({ caughtUp }) => caughtUp))
  await world.clock.advance(10_000)
  expect([alice.status.get().pending, alice.quarantine.get().length]).toEqual([1, 0])
  await within(world.clock, alice.close())
  const again = await open({ relays: ['ws://b', 'ws://c'] })
  await until(world.clock, () => again.status.get().synced)
  expect(again.quarantine.get()).toMatchObject([{ error: { code: 'refused-by-rule' } }])
  expect(again.notes.get('odd')).toMatchObject({ title: 'odd' })
  await within(world.clock, note(again, 'next', 'next').reached('quorum'))
  // It is not forgotten where it is.
  await within(world.clock, again.close())
  const back = await open()
  await until(world.clock, () => back.status.get().relays.every(({ caughtUp }) => caughtUp))
  expect(back.notes.get('odd')).toMatchObject({ title: 'odd' })
})
