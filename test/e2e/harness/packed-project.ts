/** A project of somebody else, which has the packages as tarballs and sees nothing of this workspace. */
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

export interface PackedProject {
  readonly folder: string
  /** Writes a file; imports are as in a project that has the packages installed. */
  write(file: string, code: string): void
  /** The first line of each error that the compiler finds, and how many seconds of a processor it took. */
  compile(): { readonly errors: readonly string[]; readonly seconds: number }
  remove(): void
}

const root = join(import.meta.dirname, '..', '..', '..')
export const compiler = join(root, 'node_modules', '.bin', 'tsc')
const packages = ['core', 'resolve', 'client'] as const
/** What the packages and the project itself need from elsewhere, and who has it. */
const others = [
  ['idb', 'packages/client'],
  ['lib0', 'packages/core'],
  ['yjs', 'packages/resolve'],
  ['@standard-schema/spec', 'test'],
  ['valibot', 'test'],
  ['zod', 'test'],
] as const

export function createPackedProject(): PackedProject {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'rejoin-project-')))
  install(folder)
  const write = (file: string, code: string): void => writeFileSync(join(folder, file), code)
  const compilerOptions = { strict: true, target: 'es2023', module: 'nodenext', noEmit: true, types: [] }
  write('package.json', JSON.stringify({ type: 'module', private: true }))
  write('tsconfig.json', JSON.stringify({ compilerOptions }))
  return {
    folder,
    write,
    compile() {
      const { stdout } = spawnSync('sh', ['-c', '"$0" --pretty false; times', compiler], {
        cwd: folder,
        encoding: 'utf8',
      })
      const lines = stdout.split('\n').filter(line => line !== '')
      const errors = lines.filter(line => /: error TS\d+: /.test(line))
      return { errors, seconds: secondsIn(lines.at(-1) ?? '') }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** What the shell says of the time that its children took: theirs and the system's, as 1m2.3s. */
function secondsIn(times: string): number {
  const each = [...times.matchAll(/(\d+)m([\d.]+)s/g)]
  return each.reduce((sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds), 0)
}

/** As a package manager would, from tarballs, but without a registry. */
function install(folder: string): void {
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '@rejoin'), { recursive: true })
  mkdirSync(join(modules, '@standard-schema'))
  run(compiler, ['-b', ...packages.map(name => join('packages', name))], root)
  for (const name of packages) {
    const pack = ['pack', '--config.ignore-scripts=true', '--pack-destination', folder]
    run('pnpm', pack, join(root, 'packages', name))
    const tarball = readdirSync(folder).find(file => file.startsWith(`rejoin-${name}-`)) ?? ''
    mkdirSync(join(modules, '@rejoin', name))
    run('tar', ['-xzf', tarball, '-C', join(modules, '@rejoin', name), '--strip-components=1'], folder)
  }
  for (const [name, owner] of others) {
    const found = createRequire(join(root, owner, 'package.json')).resolve.paths(name) ?? []
    const place = found.map(path => join(path, name)).find(path => existsSync(path))
    if (place === undefined) throw new Error(`${name} is not installed`)
    symlinkSync(realpathSync(place), join(modules, name))
  }
}

function run(command: string, args: readonly string[], cwd: string): void {
  // Where the runner was not started by npm, pnpm may be known to the bootstrap alone.
  const tools = join(root, '.tools', 'node_modules', '.bin')
  const env = { ...process.env, PATH: `${process.env['PATH']}${delimiter}${tools}` }
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? ''}${stdout}${stderr}`)
}
