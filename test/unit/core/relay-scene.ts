// A relay's side of a space without a relay around it: what is submitted is taken in, and is on disk at once.
import {
  createRelaySpace,
  documentKey,
  emptyRow,
  failure,
  type Delivery,
  type DocumentKey,
  type Generation,
  type GenerationId,
  type HeldRow,
  type HelloFrame,
  type SpaceSession,
  type StoreId,
  type SubmittedTransaction,
  type WelcomeFrame,
  type Write,
  type WriterId,
  type WriterRecord,
} from '@rejoin/core'
import { helloWith } from '@rejoin/testkit'
import { deltaOf, markOf, type Edit } from './edits.ts'

/** A document that the relay refuses. */
export const forbidden = documentKey('notes', 'forbidden')
export const no = failure('refused-by-rule', { reason: 'no' })

export interface RelayScene {
  /** What it remembers of writers: of those of whom it learns by submits, nothing. */
  readonly writers: Map<WriterId, WriterRecord>
  attach(role: 'client' | 'peer', user?: string): SpaceSession
  /** Somebody says hello, and is told no more. */
  welcome(hello: Partial<HelloFrame>): WelcomeFrame
  /** Submits in one turn; gives back what is sent when that is on disk. */
  submit(session: SpaceSession, ...transactions: readonly SubmittedTransaction[]): readonly Delivery[]
  /** Whether a session whose pull is not at the end of the feed is sent anything of a document. */
  sends(session: SpaceSession, id: string): boolean
  /** A peer is in this generation now, which descends from others, and has all of a feed that ends at this position. */
  hearOf(peer: SpaceSession, lineage: readonly Generation[], position: number): readonly Delivery[]
}

export function createRelayScene(): RelayScene {
  const store = 'store' as StoreId
  const space = createRelaySpace(
    {
      name: 'space',
      store,
      generation: 'generation' as GenerationId,
      screen: () => ({ ok: false, error: failure('text-invalid', { reason: 'none here' }) }),
      lead: { leader: store, levels: ['relay'] },
    },
    { record: null, generations: [] },
  )
  const sessions = new Map<SpaceSession, null>()
  const rows = new Map<DocumentKey, HeldRow>()
  const writers = new Map<WriterId, WriterRecord>()
  const reads = { row: (key: DocumentKey) => rows.get(key), writer: (id: WriterId) => writers.get(id) }
  const rule = ({ key }: Write) => (key === forbidden ? no : null)
  const callerOf = (user: string) => ({ user, mayWrite: true, rule })
  return {
    writers,
    welcome: hello => space.hello(helloWith(hello), callerOf('alice'), 1000).welcome,
    attach(role, user = 'alice') {
      const hello = helloWith({
        token: '',
        replica: role as StoreId,
        device: 'd',
        role,
        empty: false,
      })
      const { session } = space.hello(hello, callerOf(user), 1000)
      sessions.set(session, null)
      return session
    },
    submit(session, ...transactions) {
      space.submit(session, { type: 'submit', round: 0, transactions }, reads, 1000)
      for (const [key, held] of space.draft()?.rows ?? []) rows.set(key, held)
      return space.committed(sessions)
    },
    sends(session, id) {
      const key = documentKey('notes', id)
      const held = rows.get(key)
      return held !== undefined && space.changedRow(session, { key, held }, new Map()) !== null
    },
    hearOf(peer, facts, position) {
      const generation = facts.at(-1)?.id ?? ('none' as GenerationId)
      const joined = new Map([[generation, position]])
      const cursor = { generation, cut: position, place: position }
      const pulled = { rows: [], writers: [], texts: [], facts, joined, peer: { cursor, wants: [] } }
      space.pulled(peer, pulled, reads, 1000)
      space.draft()
      return space.committed(sessions)
    },
  }
}

export function insertOf(id: string, ms: number, value = 'red'): SubmittedTransaction {
  const edit: Edit = { kind: 'insert', value, element: 'x' }
  const mark = markOf('alice', ms)
  const write: Write = {
    mark,
    key: documentKey('notes', id),
    delta: deltaOf(edit, emptyRow, mark),
    texts: new Map(),
    replaced: new Map(),
    whole: true,
  }
  return { writes: [write], preconditions: [] }
}
