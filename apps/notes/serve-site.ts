/** The built app on a server of its own, without a relay: for tests that stop the relay and leave the page alone. */
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { readSite } from './site.ts'

export interface ServeSiteOptions {
  /** 0 for any free one. */
  readonly port: number
  readonly host?: string
  /** The relay that the page shall use; else the page's own host, or what `?relay=` names on this machine. */
  readonly relay?: string | null
  readonly folder?: string
}

export interface ServedSite {
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/** Where `vite build` puts the app. */
export const builtSite: string = join(import.meta.dirname, 'dist', 'site')

/** Serves the built app on this machine. Rejects with the error of the port if it is taken. */
export async function serveSite(options: ServeSiteOptions): Promise<ServedSite> {
  const { port, host = '127.0.0.1', relay = null, folder = builtSite } = options
  const site = readSite({ folder, relay, development: true })
  const server = createServer((request, response) => {
    const { status, headers, body } = site(request.method ?? 'GET', request.url ?? '/')
    response.writeHead(status, { ...headers, 'content-length': body.length })
    response.end(request.method === 'HEAD' ? undefined : body)
  })
  const bound = await listen(server, port, host)
  return {
    url: `http://localhost:${bound}/`,
    port: bound,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
