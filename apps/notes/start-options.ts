/** What `npm start` can be told, by arguments or by the environment. */
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

export interface StartOptions {
  readonly port: number
  /** The folder of the relay's data. */
  readonly data: string
  /** `own`: a relay in this process; `none`: only the page; else the address of another relay. */
  readonly relay: 'own' | 'none' | { readonly url: string }
}

export const usage = `npm start -- [options]

  --port NUMBER  where to listen; the next free one if it is taken (4455)   REJOIN_PORT
  --data DIR     folder of the relay's data (.rejoin)                       REJOIN_DATA
  --relay URL    serve only the page, and let it use this relay
  --no-relay     serve only the page`

/** Throws an error whose message says what is wrong with them. */
export function readStartOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): StartOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string' },
      data: { type: 'string' },
      relay: { type: 'string' },
      'no-relay': { type: 'boolean' },
    },
  })
  return {
    port: readPort(values.port ?? (environment['REJOIN_PORT'] || '4455')),
    data: resolve(
      values.data ?? (environment['REJOIN_DATA'] || join(import.meta.dirname, '..', '..', '.rejoin')),
    ),
    relay:
      values['no-relay'] === true ? 'none' : values.relay === undefined ? 'own' : readRelay(values.relay),
  }
}

function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port >= 0 && port <= 65_535) return port
  throw new Error(`The port ${text} is not a number from 0 to 65535.`)
}

function readRelay(text: string): { readonly url: string } {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || (url.protocol !== 'ws:' && url.protocol !== 'wss:')) {
    throw new Error(`--relay ${text} is not the address of a relay, such as wss://relay.example/v1/sync.`)
  }
  if (url.pathname === '/') url.pathname = '/v1/sync'
  return { url: url.href }
}
