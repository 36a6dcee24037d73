/** Pages of real Chromium for Rejoin and for the limit. Each step has a page of its own in one profile. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { closeTab, launchProfile } from '../../e2e/harness/browser.ts'
import { bundle } from './bundle.ts'
import type { Steps } from './steps.ts'

export interface Pages {
  /** Bytes that pages sent and received in frames of WebSockets so far. What they say to open them is the browser's. */
  readonly frameBytes: number
  /** Runs a step in a new page of `rejoin` or `limit`, and closes the page. */
  run<K extends keyof Steps>(
    who: Who,
    step: K,
    ...given: Parameters<Steps[K]>
  ): Promise<Awaited<ReturnType<Steps[K]>>>
  close(): Promise<void>
}

export type Who = 'rejoin' | 'limit'

export async function openPages(): Promise<Pages> {
  const scripts = new Map<string, string>(
    await Promise.all(
      (['rejoin', 'limit'] as const).map(async who => {
        const entry = fileURLToPath(new URL(`./${who}-page.ts`, import.meta.url))
        return [`/${who}.js`, await bundle(entry)] as const
      }),
    ),
  )
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    const script = scripts.get(path)
    response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript')
    response.end(script ?? `<!doctype html><meta charset=utf-8><script src="${path}.js"></script>`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const profile = await launchProfile({ name: 'bench', expected: [/favicon/] })
  let frameBytes = 0
  const count = ({ payload }: { readonly payload: string | Buffer }): void => {
    frameBytes += payload.length
  }
  profile.context.on('page', page =>
    page.on('websocket', socket => socket.on('framesent', count).on('framereceived', count)),
  )
  return {
    get frameBytes() {
      return frameBytes
    },
    async run(who, step, ...given) {
      const page = await profile.context.newPage()
      await page.goto(`http://127.0.0.1:${port}/${who}`)
      const result = await page.evaluate(
        // Runs in the page, where the steps are what its script left there.
        ([name, args]) =>
          (globalThis as unknown as { steps: Record<string, (...all: unknown[]) => unknown> }).steps[name]?.(
            ...args,
          ),
        [step, given] as const,
      )
      await closeTab(page)
      return result as never
    },
    async close() {
      const { complaints } = profile
      await profile.close()
      server.close()
      if (complaints.length > 0) throw new Error(complaints.join('\n'))
    },
  }
}
