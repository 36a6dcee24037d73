/** On what it was measured, for those who compare readings: absolute times mean nothing anywhere else. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'

export interface Circumstances {
  readonly date: string
  readonly machine: string
  readonly versions: string
}

export function circumstances(): Circumstances {
  const root = join(import.meta.dirname, '../../..')
  const { version } = JSON.parse(readFileSync(join(root, 'packages/client/package.json'), 'utf8')) as {
    readonly version: string
  }
  const [cpu] = cpus()
  const memory = (totalmem() / 2 ** 30).toFixed(0)
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpu?.model ?? 'unknown'}, ${memory} GiB, ${type()} ${release()}`,
    versions: `Rejoin ${version} (${commit(root)}), Node ${process.versions.node}, SQLite ${process.versions['sqlite'] ?? 'unknown'}`,
  }
}

function commit(root: string): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  } catch {
    return 'no commit'
  }
}
