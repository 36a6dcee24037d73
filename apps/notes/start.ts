/**
 * What `npm start` runs: the app and a relay for it, on one port of this machine. Nothing else can reach them, so
 * any name is let in; that is what the relay calls development.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { closeOnSignal, createLog, createRelay, sqlite } from '@rejoin/relay'
import { builtSite, serveSite } from './serve-site.ts'
import { readSite } from './site.ts'
import { readStartOptions, usage, type StartOptions } from './start-options.ts'

interface Started {
  readonly port: number
  close(): Promise<void>
}

// So many neighbours are tried before it is likelier that something else is wrong.
const portsTried = 20

const args = process.argv.slice(2)
if (args.includes('--help')) {
  console.log(usage)
  process.exit(0)
}
try {
  await start(readStartOptions(args, process.env))
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exit(1)
}

async function start(options: StartOptions): Promise<void> {
  const { relay, data } = options
  const listen = (port: number): Promise<Started> => {
    if (relay === 'own') return startBoth(port, data)
    return serveSite({ port, relay: relay === 'none' ? null : relay.url })
  }
  const started = await listenFrom(options.port, listen)
  closeOnSignal(started)
  console.log(`Rejoin notes:  http://localhost:${started.port}`)
  if (relay === 'own') {
    console.log(`Data:          ${storePath(data)}`)
    console.log('Security:      development: this machine only, and any name is let in')
  } else {
    console.log(`Relay:         ${relay === 'none' ? 'none here' : relay.url}`)
  }
}

async function startBoth(port: number, data: string): Promise<Started> {
  const site = readSite({ folder: builtSite, relay: null, development: true })
  mkdirSync(data, { recursive: true })
  const relay = createRelay({ store: sqlite(storePath(data)), development: true, log: createLog('error') })
  relay.app.get('*', context => {
    const { pathname } = new URL(context.req.url)
    const { status, headers, body } = site(context.req.method, pathname)
    return new Response(body, { status, headers })
  })
  const address = await relay.listen({ port })
  return { port: address.port, close: relay.close }
}

function storePath(data: string): string {
  return join(data, 'rejoin.db')
}

/** Listens on the first free port from one on, and says so if it is not that one. */
async function listenFrom(first: number, listen: (port: number) => Promise<Started>): Promise<Started> {
  for (let port = first; ; port += 1) {
    try {
      const started = await listen(port)
      if (port !== first) console.log(`Port ${first} is taken, so this is on ${port}.`)
      return started
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      if (!isTaken || port >= Math.min(first + portsTried, 65_535)) throw error
    }
  }
}
