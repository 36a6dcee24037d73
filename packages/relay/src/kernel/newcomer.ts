/** Somebody new who is not there: what it is sent is kept for who comes, and stored. */
import type { Caller, FeedRow, SpaceCommit } from '@rejoin/core'
import type { SessionLink } from '../kernel-port.ts'
import { walkOf } from './answering.ts'
import { createAttached, type Attached } from './attached.ts'
import type { DrivenSpace } from './driven-space.ts'
import { emptyHello } from './empty-hello.ts'
import { createInflow } from './inflow.ts'
import { keptBytesMax } from './kept-pages.ts'
import { sendPage, sendRows } from './pages.ts'
import { storePage } from './stored-pages.ts'

const caller: Caller = { user: '', mayWrite: false, rule: () => null }
/** A page that is longer is not kept: who reads slowly would have too much of it in front of it. */
const pageBytesMax = 2 * 1024 * 1024

/** It walks over the feed a page at a time, each of them in what `betweenTurns` runs. */
export async function walkAsNewcomer(
  driven: DrivenSpace,
  betweenTurns: (run: () => Promise<void>) => Promise<void>,
  isToStop: () => boolean,
): Promise<void> {
  const { space, kernel } = driven
  const end = space.position
  const newcomer = createNewcomer(driven)
  const { attached } = newcomer
  const { session } = attached
  let sent = 0
  while (session.place < end && sent < keptBytesMax && !isToStop()) {
    await betweenTurns(() => makePage(driven, newcomer, () => sendPage(walkOf(driven), attached)))
    sent += newcomer.sentOfPage
    // A commit that is longer than a page may be is left out.
    session.place = attached.begun?.position ?? session.place
    attached.begun = null
    await new Promise<void>(resolve => void kernel.options.runtime.after(0, resolve))
  }
}

/** Makes a page of a commit while its rows are at hand: later they would be read for it. */
export async function makePageOf(driven: DrivenSpace, { record, rows }: SpaceCommit): Promise<void> {
  const newcomer = createNewcomer(driven)
  const { attached } = newcomer
  attached.session.place = record.position - 1
  const page = Array.from(rows, ([key, held]): FeedRow => ({ key, held }))
  // As the feed has them: of ids in their order only what differs is sent.
  page.sort((a, b) => (a.key < b.key ? -1 : 1))
  await makePage(driven, newcomer, () => sendRows(walkOf(driven), attached, page))
}

interface Newcomer {
  readonly attached: Attached
  sentOfPage: number
}

function createNewcomer({ name, space, kernel }: DrivenSpace): Newcomer {
  const hello = emptyHello(name, { replica: space.store, device: '' })
  const { session } = space.hello(hello, caller, kernel.options.runtime.now())
  const link: SessionLink = {
    send: bytes => void (newcomer.sentOfPage += bytes.length),
    buffered: () => (newcomer.sentOfPage < pageBytesMax ? 0 : Number.POSITIVE_INFINITY),
    close() {},
    pause: () => false,
    resume() {},
    address: '',
  }
  const attached = createAttached({
    link,
    session,
    pull: null,
    leader: null,
    follower: null,
    inflow: createInflow(link, kernel.inflows),
    awaitsQuorum: false,
  })
  const newcomer: Newcomer = { attached, sentOfPage: 0 }
  return newcomer
}

/** The page at its place is stored, if it is kept. */
async function makePage(
  driven: DrivenSpace,
  newcomer: Newcomer,
  send: () => Promise<unknown>,
): Promise<void> {
  const { name, space } = driven
  const { kept, store, deflate } = walkOf(driven)
  const from = newcomer.attached.session.place
  newcomer.sentOfPage = 0
  await send()
  const page = kept.at(name, from)
  if (page?.isStored === false) await storePage(store.pages, name, page, space.position, deflate !== null)
}
