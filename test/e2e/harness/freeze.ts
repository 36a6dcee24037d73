/** Tabs that stop in the middle of what they do, as a phone stops them: nothing runs, and locks and sockets stay. */
import type { BrowserContext, Page } from 'playwright'

/** Lets a tab go on. */
export type Thaw = () => Promise<void>

/** Nothing of the tab's code runs any more. It stops between two of its tasks. */
export async function freeze(page: Page): Promise<Thaw> {
  const session = await page.context().newCDPSession(page)
  await session.send('Debugger.enable')
  const paused = new Promise<void>(resolve => session.on('Debugger.paused', () => resolve()))
  // It answers when the tab goes on, or never.
  session.send('Runtime.evaluate', { expression: 'debugger' }).catch(() => {})
  await paused
  return async () => {
    await session.send('Debugger.resume')
    await session.detach()
  }
}

/**
 * The same, but not in the middle of a compaction: a tab that is stopped there keeps the others from theirs. Another
 * tab holds the compaction's lock meanwhile, so that none begins between the look and the stop.
 */
export async function freezeAtRest(page: Page, holder: Page): Promise<Thaw> {
  await holder.evaluate(async () => {
    const found = await indexedDB.databases()
    const name = found.map(each => each.name ?? '').find(each => each.startsWith('rejoin/')) ?? ''
    await new Promise<void>(holding => {
      void navigator.locks.request(`${name} compaction`, () => {
        holding()
        return new Promise<void>(release => Reflect.set(window, 'releaseCompaction', release))
      })
    })
  })
  const thaw = await freeze(page)
  await holder.evaluate(() => (Reflect.get(window, 'releaseCompaction') as () => void)())
  return thaw
}

/**
 * Prepares a browser for `stallAtSwap`. What a compaction writes is known by its stores: pages and bodies, then a
 * snapshot, and last the record from which on readers go by all of these.
 */
export async function watchCompactions(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const begin = IDBDatabase.prototype.transaction
    let snapshots = 0
    IDBDatabase.prototype.transaction = function (stores, mode, options) {
      const names = typeof stores === 'string' ? [stores] : [...stores]
      if (mode === 'readwrite' && names.includes('runs')) {
        if (!names.includes('meta')) snapshots = 0
        else if (++snapshots === 2 && Reflect.get(window, 'isStalling') === true) {
          Reflect.set(window, 'isStalling', false)
          // oxlint-disable-next-line no-debugger -- it is what freezes the tab, where one listens for it
          debugger
        }
      }
      return begin.call(this, stores, mode, options)
    }
  })
}

export interface Stall {
  /** Resolves when the tab has stopped. */
  readonly reached: Promise<void>
  readonly thaw: Thaw
}

/** The tab stops when it has written all of a compaction but that it is valid. */
export async function stallAtSwap(page: Page): Promise<Stall> {
  const session = await page.context().newCDPSession(page)
  await session.send('Debugger.enable')
  const reached = new Promise<void>(resolve => session.on('Debugger.paused', () => resolve()))
  await page.evaluate(() => Reflect.set(window, 'isStalling', true))
  return {
    reached,
    async thaw() {
      await session.send('Debugger.resume')
      await session.detach()
    },
  }
}
