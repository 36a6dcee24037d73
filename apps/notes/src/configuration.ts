/**
 * What the address of the page and its server say: which space, and which relay.
 *
 * A link must not be able to send somebody's notes elsewhere, so the address may only name a relay on the page's own
 * host or on this machine; any other is named by the server, which also lets the browser connect to it.
 */

export interface Configuration {
  readonly space: string
  readonly relay: string
}

/** Where one is if the address does not say. */
export const defaultSpace = 'notes'

const syncPath = '/v1/sync'
const spacePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/

export function readConfiguration(page: URL, relayOfServer: string | null): Configuration {
  const space = page.searchParams.get('space') ?? ''
  const asked = page.searchParams.get('relay')
  return {
    space: spacePattern.test(space) ? space : defaultSpace,
    relay: (asked === null ? null : acceptRelay(asked, page)) ?? relayOfServer ?? ownRelay(page),
  }
}

function acceptRelay(text: string, page: URL): string | null {
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') return null
  if (url.hostname !== page.hostname && !isLoopback(url.hostname)) return null
  if (url.pathname === '/') url.pathname = syncPath
  return url.href
}

function ownRelay(page: URL): string {
  return `${page.protocol === 'https:' ? 'wss' : 'ws'}://${page.host}${syncPath}`
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}
