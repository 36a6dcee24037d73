/**
 * Clients and a relay together, as they ship, over real sockets: whatever the relay's store.
 */
import { systemRuntime } from '@rejoin/client'
import { describe, expect, it } from 'vitest'
import { contentOf, openNotes, openRelay, type Notes, type RelayKind } from './end-to-end.ts'

const soon = { timeout: 5000, interval: 10 }

function titles(replica: Notes): readonly string[] {
  return replica.notes
    .query()
    .get()
    .map(({ title }) => title)
    .sort()
}

describe.each<RelayKind>(['memory', 'sqlite'])('with a relay in %s', kind => {
  it('an insert of one is in the query of the other within a second', async () => {
    const relay = await openRelay(kind)
    const alice = await openNotes('alice', relay)
    const bob = await openNotes('bob', relay)
    await bob.settled()
    const note = alice.notes.insert({ title: 'Hello', color: 'amber' })
    await note.reached('local')
    await note.reached('relay')
    const found = bob.notes.query({ where: { color: 'amber' } })
    await expect.poll(() => found.get().map(({ title }) => title), { timeout: 1000 }).toEqual(['Hello'])
  })

  it('what both wrote offline is at both when they are back, each field by its strategy', async () => {
    const relay = await openRelay(kind)
    const alice = await openNotes('alice', relay)
    const bob = await openNotes('bob', relay)
    const { id } = alice.notes.insert({ title: 'Plan', color: 'amber', tags: ['a'] })
    await alice.settled()
    await expect.poll(() => titles(bob), soon).toEqual(['Plan'])
    alice.pause()
    bob.pause()
    alice.notes.update(id, { tags: { add: ['b'] }, views: { increment: 2 } })
    bob.notes.update(id, { tags: { add: ['c'] }, views: { increment: 3 }, color: 'teal' })
    bob.notes.insert({ title: 'Bob only', color: 'teal' })
    expect(alice.status.get()).toMatchObject({ connection: 'paused', pending: 1, synced: false })
    alice.resume()
    bob.resume()
    await Promise.all([alice.settled(), bob.settled()])
    await expect.poll(() => contentOf(alice), soon).toEqual(contentOf(bob))
    expect(alice.notes.get(id)).toMatchObject({ color: 'teal', views: 5 })
    expect([...(alice.notes.get(id)?.tags ?? [])].sort()).toEqual(['a', 'b', 'c'])
    expect(alice.status.get()).toMatchObject({ connection: 'online', pending: 0, synced: true })
  })

  it('[K3] two titles that nobody saw are a conflict on both, until one settles it', async () => {
    const relay = await openRelay(kind)
    const alice = await openNotes('alice', relay)
    const bob = await openNotes('bob', relay)
    const { id } = alice.notes.insert({ title: 'Plan', color: 'amber' })
    await alice.settled()
    await expect.poll(() => titles(bob), soon).toEqual(['Plan'])
    alice.pause()
    bob.pause()
    alice.notes.update(id, { title: 'Plan A' })
    bob.notes.update(id, { title: 'Plan B' })
    alice.resume()
    bob.resume()
    await expect.poll(() => alice.conflicts.get().length, soon).toBe(1)
    await expect.poll(() => bob.conflicts.get().length, soon).toBe(1)
    await expect
      .poll(
        () =>
          alice.conflicts
            .get()[0]
            ?.sides.map(({ who }) => who)
            .sort(),
        soon,
      )
      .toEqual(['alice', 'bob'])
    expect(alice.notes.get(id)?.title).toBe(bob.notes.get(id)?.title)
    const [conflict] = alice.conflicts.get()
    if (conflict?.kind !== 'field') throw new Error('a conflict of a field')
    await alice.conflicts.resolve(conflict, { value: 'Plan C' }).reached('relay')
    await expect.poll(() => bob.notes.get(id)?.title, soon).toBe('Plan C')
    expect(alice.notes.get(id)?.title).toBe('Plan C')
    await expect.poll(() => bob.conflicts.get(), soon).toEqual([])
    expect(alice.conflicts.get()).toEqual([])
  })

  it('[L3] of twenty writes the one that a rule refuses is in the quarantine, and the others are accepted', async () => {
    const relay = await openRelay(kind, {
      accept: { notes: write => !isForbidden(write) || 'no shouting' },
    })
    const alice = await openNotes('alice', relay)
    const bob = await openNotes('bob', relay)
    await alice.settled()
    const written = Array.from({ length: 20 }, (_, i) =>
      alice.notes.insert({ title: i === 7 ? 'SHOUT' : `note ${i}`, color: 'amber' }),
    )
    const outcomes = await Promise.allSettled(written.map(note => note.reached('relay')))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(19)
    expect(outcomes[7]).toMatchObject({ status: 'rejected', reason: { code: 'refused-by-rule' } })
    await alice.settled()
    expect(alice.quarantine.get()).toMatchObject([{ error: { code: 'refused-by-rule' } }])
    expect(titles(alice)).toHaveLength(19)
    await expect.poll(() => titles(bob), soon).toEqual(titles(alice))
  })

  it('what was typed into one text is in it at the other', async () => {
    const relay = await openRelay(kind)
    const alice = await openNotes('alice', relay)
    const bob = await openNotes('bob', relay)
    const { id } = alice.notes.insert({ title: 'Text', color: 'amber', body: 'Hello' })
    await alice.settled()
    await expect.poll(() => titles(bob), soon).toEqual(['Text'])
    const hers = alice.notes.text(id, 'body')
    const his = bob.notes.text(id, 'body')
    await Promise.all([hers.whenReady, his.whenReady])
    hers.text.insert(5, ', world')
    await expect.poll(() => his.text.toString(), soon).toBe('Hello, world')
    alice.pause()
    bob.pause()
    hers.text.insert(0, '> ')
    his.text.insert(his.text.length, '!')
    alice.resume()
    bob.resume()
    await expect.poll(() => his.text.toString(), soon).toBe('> Hello, world!')
    await expect.poll(() => hers.text.toString(), soon).toBe('> Hello, world!')
  })

  it('a relay that ends and begins again is met again, and what was written meanwhile arrives', async () => {
    const relay = await openRelay(kind)
    const alice = await openNotes('alice', relay)
    const bob = await openNotes('bob', relay)
    alice.notes.insert({ title: 'before', color: 'amber' })
    await alice.settled()
    await relay.stop()
    await expect.poll(() => alice.status.get().connection, soon).toBe('offline')
    const during = alice.notes.insert({ title: 'during', color: 'amber' })
    await during.reached('local')
    await relay.start()
    alice.resume()
    bob.resume()
    await during.reached('relay')
    await expect.poll(() => titles(bob), soon).toEqual(['before', 'during'])
    await Promise.all([alice.settled(), bob.settled()])
  })

  it('[S3] a relay that lost everything gets it back from who has it', async () => {
    const relay = await openRelay(kind)
    const alice = await openNotes('alice', relay)
    const { id } = alice.notes.insert({ title: 'kept', color: 'amber', body: 'by alice' })
    alice.notes.insert({ title: 'kept too', color: 'amber' })
    await alice.settled()
    await relay.stop()
    relay.lose()
    const repairs: { gave: number }[] = []
    alice.on('repaired', repair => repairs.push(repair))
    await relay.start()
    alice.resume()
    await expect.poll(() => repairs.map(({ gave }) => gave), soon).toEqual([2])
    await alice.settled()
    const bob = await openNotes('bob', relay)
    await bob.settled()
    expect(titles(bob)).toEqual(['kept', 'kept too'])
    const his = bob.notes.text(id, 'body')
    await his.whenReady
    expect(his.text.toString()).toBe('by alice')
    alice.notes.update(id, { color: 'teal' })
    await alice.settled()
    await expect.poll(() => bob.notes.get(id)?.color, soon).toBe('teal')
  })

  it('[C4] what a device wrote with its clock far ahead is accepted, at the time that it was', async () => {
    const relay = await openRelay(kind)
    const ahead = { ...systemRuntime, now: () => systemRuntime.now() + 3_600_000 }
    const offline = await openNotes('alice', relay, {
      database: `ahead ${kind}`,
      relays: [],
      ports: { runtime: ahead },
    })
    const { id } = offline.notes.insert({ title: 'early', color: 'amber', body: 'bird', views: 3 })
    await offline.notes.update(id, { color: 'red', views: { increment: 2 } }).reached('local')
    await offline.close()
    const alice = await openNotes('alice', relay, { database: `ahead ${kind}`, ports: { runtime: ahead } })
    const bob = await openNotes('bob', relay)
    await alice.settled()
    await expect.poll(() => bob.notes.get(id), soon).toMatchObject({ color: 'red', views: 5, title: 'early' })
    expect(alice.notes.get(id)).toEqual(bob.notes.get(id))
    const his = bob.notes.text(id, 'body')
    await his.whenReady
    expect(his.text.toString()).toBe('bird')
    expect(alice.status.get().clockOffsetMs).toBeLessThan(-3_590_000)
    expect(alice.quarantine.get()).toEqual([])
    // What is written after it at the right time wins over it.
    bob.notes.update(id, { color: 'teal' })
    await expect.poll(() => alice.notes.get(id)?.color, soon).toBe('teal')
  })

  it('[W2] a transaction is seen whole by the other', async () => {
    const relay = await openRelay(kind)
    const alice = await openNotes('alice', relay)
    const bob = await openNotes('bob', relay)
    await bob.settled()
    const seen = new Set<number>()
    bob.notes.query().subscribe(rows => seen.add(rows.length))
    const made = alice.transact(tx => {
      for (let i = 0; i < 50; i++) tx.notes.insert({ title: `note ${i}`, color: 'amber' })
    })
    await made.reached('relay')
    await expect.poll(() => bob.notes.query().get().length, soon).toBe(50)
    expect([...seen]).toEqual([0, 50])
  })

  it('a thousand documents arrive at who comes later', async () => {
    const relay = await openRelay(kind)
    const alice = await openNotes('alice', relay)
    for (let i = 0; i < 1000; i++) alice.notes.insert({ title: `note ${i}`, color: 'amber', body: 'x' })
    await alice.settled()
    const bob = await openNotes('bob', relay)
    await bob.settled()
    expect(contentOf(bob)).toEqual(contentOf(alice))
  })
})

function isForbidden(write: { readonly delta: { readonly cells: ReadonlyMap<string, unknown> } }): boolean {
  return JSON.stringify([...write.delta.cells.values()], (_, part: unknown) =>
    part instanceof Uint8Array ? new TextDecoder().decode(part) : part instanceof Map ? [...part] : part,
  ).includes('SHOUT')
}

describe('several relays', () => {
  it('[S2] a client that goes to another relay brings everything along, and goes on from there', async () => {
    const first = await openRelay('memory')
    const second = await openRelay('memory')
    const alice = await openNotes('alice', first, { relays: [first.url, second.url] })
    alice.notes.insert({ title: 'by the first', color: 'amber', body: 'text' })
    await alice.settled()
    await first.stop()
    const during = alice.notes.insert({ title: 'between', color: 'amber' })
    await during.reached('relay')
    await alice.settled()
    const bob = await openNotes('bob', second)
    await bob.settled()
    expect(titles(bob)).toEqual(['between', 'by the first'])
    bob.notes.insert({ title: 'by bob', color: 'teal' })
    await expect.poll(() => titles(alice), soon).toHaveLength(3)
    // Back to the first one, which missed all that.
    await first.start()
    await second.stop()
    await expect.poll(() => alice.status.get().connection, soon).not.toBe('online')
    await alice.settled()
    const carol = await openNotes('carol', first)
    await carol.settled()
    expect(titles(carol)).toEqual(titles(alice))
  })
})

describe('refusals of texts', () => {
  it('[X9] what was typed and refused is taken out of the live text, and kept in the quarantine', async () => {
    const relay = await openRelay('memory', {
      accept: {
        notes: (write, { user }) => user !== 'bob' || write.texts.size === 0 || 'bob may not type',
      },
    })
    const alice = await openNotes('alice', relay)
    const bob = await openNotes('bob', relay)
    const { id } = alice.notes.insert({ title: 'Text', color: 'amber', body: 'hers' })
    await alice.settled()
    await expect.poll(() => titles(bob), soon).toEqual(['Text'])
    const hers = alice.notes.text(id, 'body')
    const his = bob.notes.text(id, 'body')
    await Promise.all([hers.whenReady, his.whenReady])
    let replaced = 0
    his.onReplaced(() => (replaced += 1))
    his.text.insert(0, 'his ')
    expect(his.text.toString()).toBe('his hers')
    await expect.poll(() => bob.quarantine.get().length, soon).toBe(1)
    await expect.poll(() => his.text.toString(), soon).toBe('hers')
    expect(replaced).toBeGreaterThan(0)
    hers.text.insert(4, '!')
    await expect.poll(() => his.text.toString(), soon).toBe('hers!')
    bob.notes.update(id, { color: 'teal' })
    await bob.settled()
    await expect.poll(() => alice.notes.get(id)?.color, soon).toBe('teal')
  })
})

describe('permissions', () => {
  it('[Q4] who may only read sees everything, and keeps what was written until a token may write', async () => {
    const access = { bob: 'read' as 'read' | 'write' }
    const relay = await openRelay('memory', {
      access: user => Promise.resolve(user === 'bob' ? access.bob : 'write'),
    })
    const alice = await openNotes('alice', relay)
    const { id } = alice.notes.insert({ title: 'hers', color: 'amber' })
    await alice.settled()
    const bob = await openNotes('bob', relay)
    await expect.poll(() => titles(bob), soon).toEqual(['hers'])
    await expect
      .poll(() => bob.status.get(), soon)
      .toMatchObject({ connection: 'online', reason: 'not-permitted' })
    const change = bob.notes.update(id, { color: 'teal' })
    await change.reached('local')
    await expect(change.reached('relay')).rejects.toMatchObject({ code: 'ack-unavailable' })
    expect(bob.status.get()).toMatchObject({ pending: 1, quarantined: 0, synced: false })
    access.bob = 'write'
    bob.pause()
    bob.resume()
    await bob.settled()
    await expect.poll(() => alice.notes.get(id)?.color, soon).toBe('teal')
  })

  it('[Q4] a token that a relay does not take is asked for anew, and nothing is lost', async () => {
    const asked: string[] = []
    let token = 'expired'
    const relay = await openRelay('memory', {
      token: given => Promise.resolve(given === 'expired' ? null : { user: given }),
    })
    const alice = await openNotes('alice', relay, {
      token() {
        asked.push(token)
        return token
      },
    })
    const note = alice.notes.insert({ title: 'kept', color: 'amber' })
    await expect
      .poll(() => alice.status.get(), soon)
      .toMatchObject({ connection: 'paused', reason: 'unauthenticated', pending: 1 })
    token = 'alice'
    await note.reached('relay')
    expect(asked.length).toBeLessThan(5)
    await alice.settled()
    expect(alice.status.get()).toMatchObject({ connection: 'online', reason: undefined })
  })

  it('who may not enter a space is told so, and does not knock again by itself', async () => {
    let knocks = 0
    const access = { alice: 'none' as 'none' | 'write' }
    const relay = await openRelay('memory', {
      access: () => {
        knocks += 1
        return Promise.resolve(access.alice)
      },
    })
    const alice = await openNotes('alice', relay)
    await expect
      .poll(() => alice.status.get(), soon)
      .toMatchObject({ connection: 'paused', reason: 'not-permitted' })
    expect(knocks).toBe(1)
    access.alice = 'write'
    alice.resume()
    await alice.settled()
  })
})
