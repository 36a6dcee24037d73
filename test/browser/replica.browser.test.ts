// Replicas in a real browser: IndexedDB, Web Locks and BroadcastChannel under them, the relay's kernel in the same page.
import {
  openReplica,
  systemRuntime,
  collection,
  type ClientPorts,
  type OpenOptions,
  type Replica,
} from '@rejoin/client'
import { createDictionary, decodeFrame, type Connect } from '@rejoin/core'
import { createKernel, createMemoryDisk, type Kernel } from '@rejoin/relay/kernel'
import { ask, lww, text, type StandardSchema } from '@rejoin/resolve'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { cdp } from 'vitest/browser'

const anyString: StandardSchema<string, string> = {
  '~standard': { version: 1, vendor: 'rejoin', validate: value => ({ value: value as string }) },
}
const notes = collection('notes', { title: ask(anyString), color: lww(anyString), body: text() })
type Notes = Replica<{ notes: typeof notes }>

const open: Notes[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map(replica => replica.close()))
})

/** Links to a kernel in this page: frames in order, each in a task of its own. */
function createRelay(): { readonly connect: Connect; readonly links: () => number } {
  let kernel: Promise<Kernel> | null = null
  let links = 0
  const start = async (): Promise<Kernel> =>
    createKernel({
      store: await createMemoryDisk(systemRuntime.randomBytes).open(),
      runtime: systemRuntime,
      token: token => Promise.resolve({ user: token }),
      access: () => Promise.resolve('write'),
      accept: () => true,
      log: { error: () => {}, info: () => {}, debug: () => {} },
    })
  const connect: Connect = (_url, events) => {
    let isOver = false
    const later = (run: () => void): void => {
      systemRuntime.after(0, () => {
        if (!isOver) run()
      })
    }
    kernel ??= start()
    void kernel.then(started => {
      if (isOver) return
      links += 1
      const end = (code: number): void =>
        later(() => {
          isOver = true
          events.closed(code, '')
        })
      const names = createDictionary()
      const session = started.attach({
        address: 'page',
        buffered: () => 0,
        pause: () => false,
        resume: () => {},
        send: bytes => later(() => events.frame(bytes)),
        close: end,
      })
      events.opened({
        buffered: () => 0,
        send: bytes =>
          later(() => {
            const decoded = decodeFrame(bytes, names)
            if (decoded.ok) session.receive(decoded.value, bytes.length)
          }),
        close() {
          isOver = true
          session.closed()
        },
      })
    })
    return () => {
      isOver = true
    }
  }
  return { connect, links: () => links }
}

async function openNotes(
  name: string,
  connect: Connect,
  options: Partial<OpenOptions<{ notes: typeof notes }>> = {},
  ports: Partial<ClientPorts> = {},
): Promise<Notes> {
  const replica = await openReplica({
    space: 'team',
    name,
    collections: { notes },
    relays: ['page'],
    token: () => 'alice',
    ports: { connect, ...ports },
    ...options,
  })
  open.push(replica)
  return replica
}

test('two openings share one database, one connection and one truth', async () => {
  const relay = createRelay()
  const name = `replica ${crypto.randomUUID()}`
  const first = await openNotes(name, relay.connect)
  const second = await openNotes(name, relay.connect)
  expect(first.status.get().persistence).toBe('indexeddb')
  const note = second.notes.insert({ title: 'Hello', color: 'amber', body: 'text' })
  await note.reached('local')
  await note.reached('relay')
  await expect.poll(() => first.notes.get(note.id)?.title).toBe('Hello')
  await second.settled()
  await expect.poll(() => second.status.get().synced).toBe(true)
  expect(relay.links()).toBe(1)
  await first.close()
  await second.notes.update(note.id, { color: 'teal' }).reached('relay')
  expect(relay.links()).toBe(2)
  const bob = await openNotes(`replica ${crypto.randomUUID()}`, relay.connect)
  await bob.settled()
  expect(bob.notes.get(note.id)).toMatchObject({ title: 'Hello', color: 'teal' })
  const body = bob.notes.text(note.id, 'body')
  await body.whenReady
  expect(body.text.toString()).toBe('text')
})

test('what was written is there after everything was closed, and a clean end leaves nothing to scrub', async () => {
  const relay = createRelay()
  const name = `replica ${crypto.randomUUID()}`
  const first = await openNotes(name, relay.connect, { relays: [] })
  const { id } = first.notes.insert({ title: 'kept', color: 'amber' })
  await first.close()
  expect(JSON.parse(localStorage.getItem(`${name} marker`) ?? '{}')).toMatchObject({ unsent: 1 })
  const again = await openNotes(name, relay.connect, { relays: [] })
  expect(again.notes.get(id)?.title).toBe('kept')
  expect(again.status.get().pending).toBe(1)
})

test('[W6] a page that is put away lets go of lock and channel, and takes them up again', async () => {
  const relay = createRelay()
  const name = `replica ${crypto.randomUUID()}`
  const first = await openNotes(name, relay.connect)
  await first.settled()
  expect((await navigator.locks.query()).held?.map(lock => lock.name)).toContain(`${name} connection`)
  window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))
  await expect
    .poll(async () => (await navigator.locks.query()).held?.map(lock => lock.name) ?? [])
    .not.toContain(`${name} connection`)
  const away = first.notes.insert({ title: 'away', color: 'amber' })
  window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
  await away.reached('relay')
  const back = first.notes.insert({ title: 'back', color: 'amber' })
  expect(back.id.slice(0, 11)).not.toBe(away.id.slice(0, 11))
  await back.reached('relay')
  expect(relay.links()).toBe(2)
})

test('a browser that goes online again is heard', async () => {
  const relay = createRelay()
  let isDown = true
  const connect: Connect = (url, events) => {
    if (!isDown) return relay.connect(url, events)
    systemRuntime.after(1, () => events.closed(1006, 'down'))
    return () => {}
  }
  const alice = await openNotes(`replica ${crypto.randomUUID()}`, connect)
  await expect.poll(() => alice.status.get().connection).toBe('offline')
  isDown = false
  window.dispatchEvent(new Event('online'))
  await alice.settled()
})

/** Every connection to a database that the page opens from now on. */
function watchConnections(): IDBDatabase[] {
  const connections: IDBDatabase[] = []
  const open = IDBFactory.prototype.open
  const spy = vi.spyOn(IDBFactory.prototype, 'open').mockImplementation(function (this: IDBFactory, ...of) {
    const request = open.apply(this, of)
    request.addEventListener('success', () => connections.push(request.result))
    return request
  })
  onTestFinished(() => spy.mockRestore())
  return connections
}

test('[W1] connections that are closed as a browser closes them are opened again, and what is typed meanwhile is kept', async () => {
  const relay = createRelay()
  const name = `replica ${crypto.randomUUID()}`
  const connections = watchConnections()
  const alice = await openNotes(name, relay.connect)
  const before = alice.notes.insert({ title: 'before', color: 'amber' })
  await before.reached('relay')
  for (const connection of connections.splice(0)) {
    connection.close()
    connection.dispatchEvent(new Event('close'))
  }
  const after = alice.notes.insert({ title: 'after', color: 'amber' })
  await after.reached('local')
  await after.reached('relay')
  await expect.poll(() => alice.status.get()).toMatchObject({ synced: true, storage: undefined })
  expect(connections.length).toBeGreaterThan(0)
  await alice.close()
  const again = await openNotes(name, relay.connect, { relays: [] })
  expect([before.id, after.id].map(id => again.notes.get(id)?.title)).toEqual(['before', 'after'])
})

test('[A2] who clears the storage of the page is told what was on this device alone', async () => {
  const relay = createRelay()
  const alice = await openNotes(`replica ${crypto.randomUUID()}`, relay.connect, { relays: [] })
  await alice.notes.insert({ title: 'here alone', color: 'amber' }).reached('local')
  const told: unknown[] = []
  alice.on('evicted', ({ details }) => told.push(details))
  await (cdp() as { send(method: string, of: object): Promise<unknown> }).send('Storage.clearDataForOrigin', {
    origin: location.origin,
    storageTypes: 'indexeddb',
  })
  await expect.poll(() => alice.status.get().storage).toBe('storage-evicted')
  expect(told).toEqual([{ unsent: 1 }])
  expect(alice.notes.query().get()).toHaveLength(1)
})

/** Does something with the pages of a replica's database. */
async function withPages<T>(name: string, run: (pages: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open(name)
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    opening.onsuccess = () => resolve(opening.result)
    opening.onerror = () => reject(opening.error)
  })
  const transaction = database.transaction('pages', 'readwrite')
  const request = run(transaction.objectStore('pages'))
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error)
  })
  database.close()
  return request.result
}

test('[P4] a row that is damaged on the disk comes again from the relay, and its neighbours never go', async () => {
  const relay = createRelay()
  const name = `replica ${crypto.randomUUID()}`
  const alice = await openNotes(name, relay.connect)
  const ids = Array.from(
    { length: 24 },
    () => alice.notes.insert({ title: 'x'.repeat(50_000), color: 'amber' }).id,
  )
  await alice.settled()
  await expect.poll(() => withPages(name, pages => pages.count()), { timeout: 20_000 }).toBe(1)
  await alice.close()
  const page = await withPages(name, pages => pages.get(''))
  page.bytes.fill(0xff, 0, page.ends[0])
  await withPages(name, pages => pages.put(page, ''))
  const again = await openNotes(name, relay.connect)
  const told: unknown[] = []
  again.on('damaged', ({ code }) => told.push(code))
  expect(again.notes.query().get().length).toBeGreaterThanOrEqual(23)
  await again.settled()
  await expect.poll(() => again.notes.query().get().length).toBe(24)
  expect(told).toEqual(['storage-damaged'])
  expect(
    again.notes
      .query()
      .get()
      .map(({ id }) => id),
  ).toEqual([...ids].sort())
})
