/** What one of three relays tells, the others are given, and who reads there sees what an author had seen (SPEC S3). */
import { expect, it } from 'vitest'
import { until, within } from './engine-world.ts'
import { holds, note, three } from './three-relays.ts'

it('[S3] what one relay tells, the others are given, and then there is rest', async () => {
  const { world, relays, open } = await three()
  const alice = await open()
  await within(world.clock, alice.settled())
  const bob = await world.open(world.another('bob').openTab(), { relays: ['ws://b'], token: () => 'bob' })
  const written = note(bob, 'from bob')
  await within(world.clock, written.reached('relay'))
  await until(world.clock, () => alice.notes.get(written.id) !== undefined)
  await world.clock.advance(10_000)
  for (const relay of relays) expect(await holds(relay, written.id)).toBe(true)
  // Nobody is given anything any more: each give would show.
  const told: unknown[] = []
  alice.status.subscribe(status => told.push(status))
  await world.clock.advance(60_000)
  expect(told).toEqual([alice.status.get()])
})

it('[S3] what a relay refuses to be given keeps nothing else from it, and is not offered over and over', async () => {
  const offered: string[] = []
  const { world, relays, open } = await three((url, { key }) => {
    if (url === 'ws://c') offered.push(key)
    return url === 'ws://c' && key.endsWith('/bad') ? 'not here' : true
  })
  const alice = await open()
  await within(world.clock, alice.settled())
  const bob = await world.open(world.another('bob').openTab(), { relays: ['ws://b'], token: () => 'bob' })
  for (const id of ['bad', 'good', 'better']) {
    await within(world.clock, note(bob, `from bob, ${id}`, id).reached('relay'))
    await world.clock.advance(10_000)
  }
  expect(await Promise.all(['bad', 'good', 'better'].map(id => holds(relays[2], id)))).toEqual([
    false,
    true,
    true,
  ])
  expect(offered).toEqual(['notes/bad', 'notes/good', 'notes/better'])
  // In the next session it is.
  await within(world.clock, alice.close())
  await within(world.clock, (await open()).settled())
  await world.clock.advance(10_000)
  expect(offered.slice(3)).toEqual(['notes/bad'])
})

it('[S3] who reads at another relay is shown a write with what its author had seen, though only the first one told that', async () => {
  const { world, open } = await three()
  const alice = await open()
  note(alice, 'shared', 'shared')
  const [bob, carol] = [
    await world.open(world.another('bob').openTab(), { relays: ['ws://a'], token: () => 'bob' }),
    await world.open(world.another('carol').openTab(), { relays: ['ws://b'], token: () => 'carol' }),
  ]
  for (const { notes } of [bob, carol]) await until(world.clock, () => notes.get('shared') !== undefined)
  const shown: (readonly [string | undefined, boolean])[] = []
  carol.notes.query().subscribe(rows => {
    for (const { color, tags } of rows) shown.push([color, tags.includes('bob')])
  })
  bob.notes.update('shared', { tags: { add: ['bob'] } })
  await until(world.clock, () => alice.notes.get('shared')?.tags.includes('bob') === true)
  const answer = alice.notes.update('shared', { color: 'teal' })
  await within(world.clock, answer.reached('quorum'))
  await until(world.clock, () => carol.notes.get('shared')?.color === 'teal')
  expect(shown.filter(([color]) => color === 'teal')).not.toContainEqual(['teal', false])
})

it('[S3] what a relay told counts as told also where its session ends while that is stored', async () => {
  /** Bob writes at the first relay, alice answers at once, and carol reads both at the second. */
  async function run(cutAt: number): Promise<{ readonly seenAt: number; readonly inOrder: boolean }> {
    const { world, open } = await three()
    const alice = await open()
    note(alice, 'shared', 'shared')
    const bob = await world.open(world.another('bob').openTab(), { relays: ['ws://a'], token: () => 'bob' })
    const carol = await world.open(world.another('carol').openTab(), {
      relays: ['ws://b'],
      token: () => 'carol',
    })
    for (const { notes } of [bob, carol]) await until(world.clock, () => notes.get('shared') !== undefined)
    await world.clock.advance(5000)
    let seenAt = 0
    alice.notes.query().subscribe(([shared]) => {
      if (seenAt > 0 || shared?.tags.includes('bob') !== true) return
      seenAt = world.time
      queueMicrotask(() => alice.notes.update('shared', { color: 'teal' }))
    })
    let inOrder = true
    carol.notes.query().subscribe(([shared]) => {
      if (shared?.color === 'teal' && !shared.tags.includes('bob')) inOrder = false
    })
    world.clock.after(cutAt - world.time, () => world.network.cut(world.device.name, 'ws://a', 'told'))
    bob.notes.update('shared', { tags: { add: ['bob'] } })
    await world.clock.advance(10_000)
    return { seenAt, inOrder }
  }

  const { seenAt } = await run(1_000_000)
  for (let earlier = 0; earlier < 8; earlier++) expect((await run(seenAt - earlier)).inOrder).toBe(true)
})

it('[S3] what stands on a write that a relay refused goes there behind the document, as it is where that was taken', async () => {
  let isRefused = false
  const { world, relays, open } = await three((url, { key }) =>
    isRefused && url === 'ws://c' && key.endsWith('/shared') ? 'not now' : true,
  )
  const alice = await open()
  await within(world.clock, note(alice, 'shared', 'shared').reached('quorum'))
  const carol = await world.open(world.another('carol').openTab(), {
    relays: ['ws://c'],
    token: () => 'carol',
  })
  await until(world.clock, () => carol.notes.get('shared') !== undefined)
  const shown: (readonly [string | undefined, boolean])[] = []
  carol.notes.query().subscribe(rows => {
    for (const { color, tags } of rows) shown.push([color, tags.includes('alice')])
  })
  isRefused = true
  // It hears of the write last: what a relay refuses first of all is in the quarantine.
  world.network.cut(world.device.name, 'ws://c', 'told')
  await within(world.clock, alice.notes.update('shared', { tags: { add: ['alice'] } }).reached('quorum'))
  world.network.heal(world.device.name, 'ws://c')
  await until(world.clock, () => alice.status.get().relays[2]?.refused === 1)
  isRefused = false
  alice.notes.update('shared', { color: 'teal' })
  await until(world.clock, () => carol.notes.get('shared')?.color === 'teal')
  expect(shown.filter(([color]) => color === 'teal')).not.toContainEqual(['teal', false])
  expect(await holds(relays[2], 'shared')).toBe(true)
})
