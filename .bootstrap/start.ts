// What `npm start` runs once everything is installed: the app is built when something it is made of changed since
// the last build, and then its start program takes over this process, so that a signal reaches it directly.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = join(import.meta.dirname, '..')
const app = join(root, 'apps', 'notes')
const stamp = join(app, 'dist', 'site.stamp')

const inputs = fingerprintInputs()
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== inputs) {
  const vite = join(app, 'node_modules', 'vite', 'bin', 'vite.js')
  const built = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'warn'], {
    cwd: app,
    encoding: 'utf8',
  })
  if (built.status !== 0) {
    console.error(`${built.stdout}${built.stderr}The app could not be built.`)
    process.exit(1)
  }
  writeFileSync(stamp, inputs)
}

await import(pathToFileURL(join(app, 'start.ts')).href)

/** One digest of everything that can change the built app: its sources, the packages', and what is installed. */
function fingerprintInputs(): string {
  const digest = createHash('sha256')
  const folders = [app, ...['core', 'resolve', 'client', 'react'].map(name => join(root, 'packages', name))]
  for (const file of [join(root, 'pnpm-lock.yaml'), ...folders.flatMap(listInputs)]) {
    digest.update(`${file}\n`).update(readFileSync(file))
  }
  return digest.digest('hex')
}

function listInputs(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter(entry => !['node_modules', 'dist', 'docs'].includes(entry.name))
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap(entry => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return listInputs(path)
      return /\.(tsx?|css|html|json|svg)$/.test(entry.name) ? [path] : []
    })
}
