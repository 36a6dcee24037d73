/**
 * Keeps the app itself on this device, so that it opens without a network, as its notes do. It holds one version: that
 * of the page last fetched and of what this page refers to. The page is fetched anew whenever that is possible, so
 * what is kept is only ever shown to those who would otherwise see nothing. Notes never pass through here.
 */

// The worker's own types and those of a page exclude each other, so the little that is needed of them is stated.
interface WorkerEvent extends Event {
  waitUntil(work: Promise<unknown>): void
}
interface RequestEvent extends WorkerEvent {
  readonly request: Request
  respondWith(response: Promise<Response>): void
}
interface WorkerScope {
  addEventListener(type: 'install' | 'activate', listener: (event: WorkerEvent) => void): void
  addEventListener(type: 'fetch', listener: (event: RequestEvent) => void): void
  skipWaiting(): Promise<void>
  readonly clients: { claim(): Promise<void> }
}

const scope = self as unknown as WorkerScope
const cacheName = 'rejoin-notes'
const page = '/'

// How long a network that is there but does not answer may keep somebody from their notes.
const patienceMs = 3000

scope.addEventListener('install', event => {
  event.waitUntil(
    fetchPage()
      .then(keepPage)
      .then(() => scope.skipWaiting()),
  )
})
scope.addEventListener('activate', event => event.waitUntil(scope.clients.claim()))
scope.addEventListener('fetch', event => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== location.origin) return
  if (request.mode === 'navigate' && pathname === page) event.respondWith(answerPage(event))
  else if (isKept(pathname)) event.respondWith(readOrFetch(request))
})

async function answerPage(event: WorkerEvent): Promise<Response> {
  const fetched = fetchPage()
  event.waitUntil(fetched.then(response => keepPage(response.clone())).catch(() => {}))
  const kept = await caches.match(page)
  if (kept === undefined) return fetched
  return Promise.race([fetched.catch(() => kept), wait(patienceMs).then(() => kept)])
}

async function fetchPage(): Promise<Response> {
  const response = await fetch(page, { cache: 'no-store' })
  if (!response.ok) throw new Error(`The page was answered with ${response.status}.`)
  return response
}

/** Keeps a page and everything that it refers to, and nothing else. */
async function keepPage(response: Response): Promise<void> {
  const html = await response.clone().text()
  const paths = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].flatMap(match => match[1] ?? []).filter(isKept)
  const cache = await caches.open(cacheName)
  const kept = (await cache.keys()).map(request => new URL(request.url).pathname)
  // First what the page needs, then the page: there is never a page here that could not be shown.
  await cache.addAll(paths.filter(path => !kept.includes(path)))
  await cache.put(page, response)
  await Promise.all(
    kept.filter(path => path !== page && !paths.includes(path)).map(path => cache.delete(path)),
  )
}

function wait(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

async function readOrFetch(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request)
}

function isKept(path: string): boolean {
  return path.startsWith('/assets/') || path === '/icon.svg' || path === '/manifest.webmanifest'
}
