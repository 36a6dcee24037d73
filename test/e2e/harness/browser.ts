/**
 * A person's browser: a profile in a folder of its own, which outlives the browser that runs on it. It can be closed
 * in order, or killed as a whole, as a phone that runs out of memory does it; both times the next start finds what the
 * last one left on the disk. What its pages complain about is kept, and is asked for at the end.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type BrowserContext, type Page } from 'playwright'
import { until, within } from '../../chaos/harness/until.ts'
import { chromiumLaunch } from '../../browser-path.ts'

export interface Profile {
  readonly name: string
  readonly folder: string
  /** Of the browser that runs. */
  readonly context: BrowserContext
  /** What pages reported as errors or threw, since the first start, and nobody had expected. */
  readonly complaints: readonly string[]
  /** A new tab. */
  open(url: string): Promise<Page>
  /** Ends every process of the browser at once. */
  kill(): Promise<void>
  /** Ends it in order. */
  stop(): Promise<void>
  /** Starts it again on the same profile. */
  start(): Promise<void>
  /** Ends it if it runs, and removes the profile. */
  close(): Promise<void>
}

export interface ProfileOptions {
  readonly name: string
  /** What pages may complain about. A wire that is cut is never worth a word. */
  readonly expected?: readonly RegExp[]
  /** Runs after every start, before there is a page of the test. */
  readonly prepare?: (context: BrowserContext) => Promise<unknown>
  readonly viewport?: { readonly width: number; readonly height: number }
}

/** What Chromium says by itself on its console when a socket does not open, or breaks. */
const cutWire = /WebSocket connection to 'ws:\/\/[^']+' failed/
const desktop = { width: 1180, height: 760 }

// What a test that broke off did not end goes with the process of the test.
const running = new Set<number>()
const folders = new Set<string>()
process.on('exit', () => {
  for (const group of running) signalGroup(group, 'SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
})

export async function launchProfile(options: ProfileOptions): Promise<Profile> {
  const { name, expected = [], prepare, viewport = desktop } = options
  const folder = mkdtempSync(join(tmpdir(), 'rejoin-profile-'))
  folders.add(folder)
  const complaints: string[] = []
  let now: { readonly context: BrowserContext; readonly group: number } | null = null

  function complain(text: string): void {
    if (![cutWire, ...expected].some(pattern => pattern.test(text))) complaints.push(`${name}: ${text}`)
  }

  async function start(): Promise<void> {
    const context = await chromium.launchPersistentContext(folder, {
      ...chromiumLaunch(),
      headless: true,
      viewport,
    })
    const group = await findGroup(context)
    running.add(group)
    now = { context, group }
    context.on('console', message => {
      if (message.type() === 'error') complain(`${message.text()} at ${message.location().url}`)
    })
    context.on('weberror', uncaught => {
      const error = uncaught.error()
      complain(`threw ${error.stack ?? error.message}`)
    })
    await prepare?.(context)
  }

  async function end(how: (context: BrowserContext, group: number) => unknown): Promise<void> {
    if (now === null) return
    const { context, group } = now
    now = null
    const closed = new Promise<void>(resolve => context.on('close', () => resolve()))
    await how(context, group)
    await within(closed, `the browser of ${name} ends`)
    await until(() => !livesGroup(group), `every process of the browser of ${name} is gone`)
    running.delete(group)
  }

  function current(): BrowserContext {
    if (now === null) throw new Error(`the browser of ${name} does not run`)
    return now.context
  }

  await start()
  return {
    name,
    folder,
    complaints,
    get context() {
      return current()
    },
    async open(url) {
      const context = current()
      const [first] = context.pages()
      // A browser starts with an empty tab.
      const page = first?.url() === 'about:blank' ? first : await context.newPage()
      page.setDefaultTimeout(15_000)
      await page.goto(url)
      return page
    },
    kill: () => end((_, group) => signalGroup(group, 'SIGKILL')),
    stop: () => end(closeInOrder),
    start,
    async close() {
      await end((_, group) => signalGroup(group, 'SIGKILL'))
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
      folders.delete(folder)
    },
  }
}

/** Closes a tab as a person does: the page is told. */
export async function closeTab(page: Page): Promise<void> {
  const closed = new Promise<void>(resolve => page.on('close', () => resolve()))
  await page.close({ runBeforeUnload: true })
  await within(closed, `${page.url()} closes`)
}

/** A browser that is only asked to go does not tell its pages; one whose windows are closed does. */
async function closeInOrder(context: BrowserContext): Promise<void> {
  for (const page of context.pages()) await closeTab(page)
  await context.close()
}

/** The process group of a browser: Playwright starts each as the leader of one. */
async function findGroup(context: BrowserContext): Promise<number> {
  const browser = context.browser()
  if (browser === null) throw new Error('Playwright gives no browser for a profile')
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  await session.detach()
  const main = processInfo.find(({ type }) => type === 'browser')
  const group = main === undefined ? Number.NaN : groupOf(main.id)
  if (!(group > 1) || group === groupOf(process.pid)) throw new Error('a browser has no group of its own')
  return group
}

function groupOf(process: number): number {
  const found = readProcess(process)
  if (found !== null) return found.group
  return Number(execFileSync('ps', ['-o', 'pgid=', '-p', `${process}`], { encoding: 'utf8' }))
}

function signalGroup(group: number, signal: 'SIGKILL' | 0): boolean {
  try {
    return process.kill(-group, signal)
  } catch {
    return false
  }
}

/** Whether something of a group still runs. What only waits for its parent to look at it does not. */
function livesGroup(group: number): boolean {
  if (!signalGroup(group, 0)) return false
  if (readProcess(process.pid) === null) return true
  const processes = readdirSync('/proc').filter(entry => /^\d+$/.test(entry))
  return processes.some(id => {
    const found = readProcess(Number(id))
    return found?.group === group && !found.isOver
  })
}

/** Null where there is no such process, and where the system does not tell by files. */
function readProcess(id: number): { readonly group: number; readonly isOver: boolean } | null {
  try {
    const stat = readFileSync(`/proc/${id}/stat`, 'utf8')
    // After the name, which may hold anything: the state, the parent, the group.
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { group: Number(group), isOver: state === 'Z' || state === 'X' }
  } catch {
    return null
  }
}
