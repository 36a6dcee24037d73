/** Somebody new who is not there: what it is sent is kept for who comes, and stored. */
import type { Caller } from '@rejoin/core'
import type { SessionLink } from '../kernel-port.ts'
import { walkOf } from './answering.ts'
import { createAttached } from './attached.ts'
import type { DrivenSpace } from './driven-space.ts'
import { emptyHello } from './empty-hello.ts'
import { createInflow } from './inflow.ts'
import { keptBytesMax } from './kept-pages.ts'
import { sendPage } from './pages.ts'
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
  const { runtime } = kernel.options
  const end = space.position
  let sent = 0
  let sentOfPage = 0
  const link: SessionLink = {
    send: bytes => void (sentOfPage += bytes.length),
    buffered: () => (sentOfPage < pageBytesMax ? 0 : Number.POSITIVE_INFINITY),
    close() {},
    pause: () => false,
    resume() {},
    address: '',
  }
  const hello = emptyHello(driven.name, { replica: space.store, device: '' })
  const { session } = space.hello(hello, caller, runtime.now())
  const inflow = createInflow(link, kernel.inflows)
  const attached = createAttached({
    link,
    session,
    pull: null,
    leader: null,
    follower: null,
    inflow,
    awaitsQuorum: false,
  })
  const walk = walkOf(driven)
  const { name } = driven
  async function makePage(): Promise<void> {
    const from = session.place
    await sendPage(walk, attached)
    const page = walk.kept.at(name, from)
    if (page?.isStored === false)
      await storePage(walk.store.pages, name, page, space.position, walk.deflate !== null)
  }
  while (session.place < end && sent < keptBytesMax && !isToStop()) {
    await betweenTurns(makePage)
    sent += sentOfPage
    sentOfPage = 0
    // A commit that is longer than a page may be is left out.
    session.place = attached.begun?.position ?? session.place
    attached.begun = null
    await new Promise<void>(resolve => void runtime.after(0, resolve))
  }
}
