/**
 * Replays an editing trace truly: one client for each of its two authors, a relay between them, and real cuts. Before
 * every burst the author's text is exactly the merge of what the burst saw, as plain Yjs has it. How much of an author
 * the other one has is decided by holding uplinks, which is what latency did when it was recorded, or by a cut that
 * ends when the other one looks.
 */
import type { TextHandle } from '@rejoin/client'
import { nodeRuntime } from '@rejoin/relay'
import { openTcpProxy, type TcpProxy } from '@rejoin/testkit/tcp-proxy'
import { applyUpdate, Doc, getState, type Text } from 'yjs'
import type { Burst, EditingTrace, Patch } from './editing-trace.ts'
import { createHeldUplink, type HeldUplink } from './held-uplink.ts'
import { openNodeClient, untilSynced, type NodeClient } from './node-client.ts'
import { until, within } from './until.ts'

export interface ReplayOptions {
  /** Of the relay. */
  readonly port: number
  /** What the document is to be called. */
  readonly id: string
  /** Which author has the smaller Yjs client id: concurrent inserts at one place go by it. */
  readonly smaller: 0 | 1
  readonly cutsMax: number
  /** Is given what has to be closed afterwards, whatever happens. */
  readonly defer: (close: () => Promise<unknown>) => void
}

export interface Replayed {
  readonly clients: readonly [NodeClient, NodeClient]
  /** What plain Yjs comes to, under the same client ids. */
  readonly plain: string
  /** How often one author looked at what the other had written. */
  readonly looks: number
  /** How often an author was cut off, wrote meanwhile, and was let in again. */
  readonly cuts: number
}

interface Author {
  readonly client: NodeClient
  readonly proxy: TcpProxy
  readonly uplink: HeldUplink
  readonly handle: TextHandle<Text, Doc>
  /** The same text in plain Yjs, and what was typed there. */
  readonly plain: Doc
  readonly updates: Uint8Array[]
  /** How many of the own bursts were let go, and how many of the other's plain Yjs has. */
  sent: number
  seen: number
}

/** The moment at which an author sees more of the other one than before. */
interface Look {
  readonly at: number
  /** Whose bursts are seen, and how many from now on. */
  readonly of: number
  readonly seen: number
  /** The burst before which that author was last looked at. */
  readonly since: number
  /** Whether that author looked at nothing meanwhile, and has written no more than what is seen. */
  readonly canEndCut: boolean
}

export async function replayTrace(trace: EditingTrace, options: ReplayOptions): Promise<Replayed> {
  const { bursts } = trace
  if (trace.authors !== 2) throw new Error('a replay is of two authors')
  const authors = await openAuthors(options)
  const looks = findLooks(bursts)
  const lookByBurst = new Map(looks.map(look => [look.at, look]))
  const cutEnds = looks.filter(({ canEndCut }) => canEndCut)
  const every = Math.ceil(cutEnds.length / options.cutsMax)
  const chosen = cutEnds.filter((_, i) => i % every === 0)
  const cutByStart = new Map(chosen.map(look => [look.since, look]))
  let cut: Look | null = null
  let cuts = 0

  for (const [i, { author, patches }] of bursts.entries()) {
    const mine = authors[author] ?? authors[0]
    const look = lookByBurst.get(i)
    if (look !== undefined) {
      const other = authors[look.of] ?? authors[0]
      if (look === cut) {
        await letIn(other)
        cut = null
        cuts += 1
      } else other.uplink.release(look.seen - other.sent)
      other.sent = look.seen
      for (; mine.seen < look.seen; mine.seen++) applyUpdate(mine.plain, other.updates[mine.seen] ?? nothing)
      await untilSame(mine, `burst ${i} of author ${author} begins`)
      other.uplink.hold()
    }
    expectSame(mine, i)
    type(mine, patches)
    // Each burst is a frame of its own, or a write of its own that waits for the connection.
    if (cut?.of === author) await new Promise(resolve => setImmediate(resolve))
    else await within(mine.uplink.untilHeld(mine.updates.length - mine.sent), `burst ${i} is on its way`)
    const begun = cutByStart.get(i)
    if (begun !== undefined) {
      cut = begun
      authors[begun.of]?.proxy.cut()
    }
  }
  for (const { uplink } of authors) uplink.open()
  const [first, second] = authors
  for (const [mine, other] of [
    [first, second],
    [second, first],
  ] as const) {
    for (; mine.seen < other.updates.length; mine.seen++)
      applyUpdate(mine.plain, other.updates[mine.seen] ?? nothing)
  }
  for (const author of authors) await untilSame(author, 'each author has everything')
  await untilSynced([first.client, second.client])
  const plain = first.plain.getText('text').toString()
  for (const { handle } of authors) handle.close()
  return { clients: [first.client, second.client], plain, looks: looks.length, cuts }
}

const nothing = Uint8Array.of(0, 0)

async function openAuthors(options: ReplayOptions): Promise<readonly [Author, Author]> {
  const { id, port, defer } = options
  const connected = []
  for (const author of [0, 1]) {
    const proxy = await openTcpProxy(port)
    defer(() => proxy.close())
    const uplink = createHeldUplink()
    // A writer's last four bytes are its Yjs client id.
    const first = author === options.smaller ? 0x10 : 0xf0
    const randomBytes = (length: number): Uint8Array => {
      const bytes = nodeRuntime.randomBytes(length)
      if (length === 8) bytes[4] = first
      return bytes
    }
    const client = await openNodeClient({
      url: `ws://127.0.0.1:${proxy.port}/v1/sync`,
      user: `author ${author}`,
      ports: { connect: uplink.connect, runtime: { ...nodeRuntime, randomBytes } },
    })
    defer(() => client.close())
    connected.push({ client, proxy, uplink })
  }
  const [one, two] = connected
  if (one === undefined || two === undefined) throw new Error('there are two authors')
  await one.client.notes.insert({ title: 'friends', color: 'none' }, { id }).reached('relay')
  await until(() => two.client.notes.get(id) !== undefined, 'both authors have the document')
  return [await openText(one, id), await openText(two, id)]
}

async function openText(
  { client, proxy, uplink }: Pick<Author, 'client' | 'proxy' | 'uplink'>,
  id: string,
): Promise<Author> {
  const handle = client.notes.text(id, 'body')
  await handle.whenReady
  handle.onReplaced(() => {
    throw new Error('the text was replaced, although nothing was refused')
  })
  const plain = new Doc()
  plain.clientID = handle.document.clientID
  const updates: Uint8Array[] = []
  plain.on(
    'update',
    (update: Uint8Array, _origin: unknown, _doc: Doc, { local }: { readonly local: boolean }) => {
      if (local) updates.push(update)
    },
  )
  uplink.hold()
  return { client, proxy, uplink, handle, plain, updates, sent: 0, seen: 0 }
}

function findLooks(bursts: readonly Burst[]): readonly Look[] {
  const looks: Look[] = []
  const written = [0, 0]
  const seen = [0, 0]
  const lastSeenAt = [-1, -1]
  const lastLookAt = [-1, -1]
  for (const [at, burst] of bursts.entries()) {
    const of = 1 - burst.author
    const count = burst.seen[of] ?? 0
    if (count > (seen[of] ?? 0)) {
      const since = lastSeenAt[of] ?? -1
      const canEndCut = since >= 0 && written[of] === count && (lastLookAt[of] ?? -1) <= since
      looks.push({ at, of, seen: count, since, canEndCut })
      seen[of] = count
      lastSeenAt[of] = at
      lastLookAt[burst.author] = at
    }
    written[burst.author] = (written[burst.author] ?? 0) + 1
  }
  return looks
}

function type({ handle, plain }: Author, patches: readonly Patch[]): void {
  for (const [document, text] of [
    [handle.document, handle.text],
    [plain, plain.getText('text')],
  ] as const) {
    document.transact(() => {
      for (const [position, deleted, inserted] of patches) {
        if (deleted > 0) text.delete(position, deleted)
        if (inserted !== '') text.insert(position, inserted)
      }
    })
  }
}

/** Ends the cut of an author, who comes with everything that was written meanwhile. */
async function letIn({ client, proxy, uplink }: Author): Promise<void> {
  await until(() => client.status.get().connection !== 'online', 'the cut is noticed')
  uplink.open()
  proxy.heal()
  client.resume()
}

/** Whether the author's text is what plain Yjs has: all characters, and all that was ever typed. */
function isSame({ handle, plain }: Author): boolean {
  for (const client of plain.store.clients.keys())
    if (getState(handle.document.store, client) !== getState(plain.store, client)) return false
  return handle.text.toString() === plain.getText('text').toString()
}

async function untilSame(author: Author, claim: string): Promise<void> {
  if (isSame(author)) return
  const { document } = author.handle
  let look = (): void => {}
  const same = new Promise<void>(resolve => {
    look = () => {
      if (isSame(author)) resolve()
    }
    document.on('update', look)
  })
  try {
    await within(same, claim)
  } finally {
    document.off('update', look)
  }
}

function expectSame(author: Author, burst: number): void {
  if (!isSame(author)) throw new Error(`before burst ${burst} its author does not have exactly what it saw`)
}
