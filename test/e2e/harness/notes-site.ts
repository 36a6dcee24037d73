/**
 * The notes app as people get it: built once for a test file, and served by a server that knows nothing of relays. So
 * the page can be loaded while no relay can be reached, and relays end without it.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { serveSite } from '@rejoin/notes/serve-site.ts'

export interface NotesSite {
  /** The address of the app for a space and the relay that it shall use. */
  addressOf(space: string, relay: { readonly port: number }): string
  /** Nobody answers at its port any more, until `start`. */
  stop(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

const app = join(import.meta.dirname, '..', '..', '..', 'apps', 'notes')
const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin', 'vite.js')

const folders = new Set<string>()
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

export async function serveNotes(): Promise<NotesSite> {
  const folder = mkdtempSync(join(tmpdir(), 'rejoin-notes-'))
  folders.add(folder)
  build(folder)
  let site = await serveSite({ port: 0, folder })
  const { port } = site
  return {
    addressOf: (space, relay) =>
      `http://localhost:${port}/?space=${space}&relay=ws://127.0.0.1:${relay.port}/v1/sync`,
    stop: () => site.close(),
    async start() {
      site = await serveSite({ port, folder })
    },
    async close() {
      await site.close()
      rmSync(folder, { recursive: true, force: true })
      folders.delete(folder)
    },
  }
}

function build(folder: string): void {
  const built = spawnSync(
    process.execPath,
    [vite, 'build', '--outDir', folder, '--emptyOutDir', '--logLevel', 'warn'],
    // The runner's own environment would make it a build for tests.
    { cwd: app, encoding: 'utf8', env: { ...process.env, NODE_ENV: 'production' } },
  )
  if (built.status !== 0) throw new Error(`the app could not be built: ${built.stdout}${built.stderr}`)
}
