/**
 * The built app as a table from path to answer. Every file is read once, when the server starts, and a request is a
 * look-up in that table: there is no path that leads from an address to the file system.
 *
 * Files whose names carry a hash of their content are kept by browsers for good, everything else is asked for again.
 * The page itself is made anew for each request, since it carries a word (a nonce) that lets CodeMirror's styles in
 * and that must not be guessable.
 */
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'

export interface SiteOptions {
  readonly folder: string
  /** The relay that the page shall use; without one it uses the server that it came from. */
  readonly relay: string | null
  /** Whether the page may also connect to relays on other ports of this machine. */
  readonly development: boolean
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array<ArrayBuffer>
}

/** Answers a path as it stands in the request, query included. */
export type Site = (method: string, target: string) => Answer

const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
}

const always = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

export function readSite(options: SiteOptions): Site {
  const files = readFiles(options.folder)
  const page = files.get('/index.html')
  if (page === undefined) throw new Error(`There is no built app in ${options.folder}.`)
  const html = Buffer.from(page.body).toString('utf8')

  return (method, target) => {
    if (method !== 'GET' && method !== 'HEAD') return answerText(405, 'Only GET and HEAD are answered here.')
    const path = target.split(/[?#]/, 1)[0] ?? '/'
    const answer = path === '/' || path === '/index.html' ? answerPage(html, options) : files.get(path)
    return answer ?? answerText(404, 'There is nothing at this path.')
  }
}

function readFiles(folder: string): ReadonlyMap<string, Answer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return new Map(
    entries
      .filter(entry => entry.isFile())
      .map(entry => {
        const file = join(entry.parentPath, entry.name)
        const path = `/${relative(folder, file).split(sep).join('/')}`
        return [path, answerFile(path, readFileSync(file))]
      }),
  )
}

function answerFile(path: string, bytes: Buffer): Answer {
  // Vite puts what it names by content here, and nothing else.
  const isHashed = path.startsWith('/assets/')
  return {
    status: 200,
    headers: {
      ...always,
      'content-type': contentTypes[extname(path)] ?? 'application/octet-stream',
      'cache-control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
    },
    body: new Uint8Array(bytes),
  }
}

function answerPage(html: string, options: SiteOptions): Answer {
  const nonce = randomBytes(16).toString('base64')
  const relay = options.relay === null ? '' : metaTag('rejoin-relay', options.relay)
  const head = `${metaTag('csp-nonce', nonce)}${relay}`
  return {
    status: 200,
    headers: {
      ...always,
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': describePolicy(nonce, options),
    },
    body: new TextEncoder().encode(html.replace('<head>', () => `<head>${head}`)),
  }
}

function describePolicy(nonce: string, { relay, development }: SiteOptions): string {
  const ownMachine = development ? ['ws://localhost:*', 'ws://127.0.0.1:*'] : []
  const relays = [...(relay === null ? [] : [new URL(relay).origin]), ...ownMachine]
  return [
    `default-src 'none'`,
    `script-src 'self'`,
    `style-src 'self' 'nonce-${nonce}'`,
    `img-src 'self' data:`,
    `manifest-src 'self'`,
    `worker-src 'self'`,
    `connect-src 'self' ${relays.join(' ')}`.trim(),
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
    `require-trusted-types-for 'script'`,
    `trusted-types keep-app`,
  ].join('; ')
}

function metaTag(name: string, content: string): string {
  const escaped = content.replace(/[&"<>]/g, letter => `&#${letter.charCodeAt(0)};`)
  return `<meta name="${name}" content="${escaped}">`
}

function answerText(status: number, text: string): Answer {
  return {
    status,
    headers: { ...always, 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
    body: new TextEncoder().encode(text),
  }
}
