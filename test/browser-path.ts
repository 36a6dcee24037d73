// Where the Chromium of the browser tests is. Looking costs nothing and installs nothing; `findOrInstallChromium`
// is what a test run calls first, so that a bare machine passes the same tests as a furnished one.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { chromium } from 'playwright'

const tools = join(import.meta.dirname, '..', '.tools', 'chromium')
const packaged = '@sparticuz/chromium'
const packagedVersion = '153.0.0'

export interface ChromiumLaunch {
  readonly executablePath?: string
  readonly env?: Record<string, string>
}

/** What Playwright's `launch` needs to start the Chromium of this machine; empty when there is none. */
export function chromiumLaunch(): ChromiumLaunch {
  const path = findChromium()
  if (path === undefined) return {}
  if (!path.startsWith(tools)) return { executablePath: path }
  // The packaged browser brings the few system libraries that a bare machine lacks.
  return {
    executablePath: path,
    env: { ...environment(), LD_LIBRARY_PATH: join(dirname(path), 'al2023', 'lib') },
  }
}

/** The same, after installing a browser if none was found; `undefined` when that did not work either. */
export async function findOrInstallChromium(
  say: (line: string) => void,
): Promise<ChromiumLaunch | undefined> {
  if (findChromium() !== undefined) return chromiumLaunch()
  if (installFromDebian(say) && findChromium() !== undefined) return chromiumLaunch()
  if ((await installFromPackage(say)) && findChromium() !== undefined) return chromiumLaunch()
  return undefined
}

function findChromium(): string | undefined {
  return (
    process.env['CHROMIUM_PATH'] ??
    findOnPath('chromium-headless-shell', 'chromium', 'google-chrome') ??
    findPlaywrights() ??
    findPackaged()
  )
}

function findOnPath(...names: readonly string[]): string | undefined {
  if (process.platform === 'win32') return undefined
  for (const name of names) {
    const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' })
    if (found.status === 0) return found.stdout.trim()
  }
  return undefined
}

function findPlaywrights(): string | undefined {
  const path = chromium.executablePath()
  return existsSync(path) ? path : undefined
}

function findPackaged(): string | undefined {
  const note = join(tools, 'path')
  if (!existsSync(note)) return undefined
  const path = readFileSync(note, 'utf8').trim()
  return existsSync(path) ? path : undefined
}

function installFromDebian(say: (line: string) => void): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/etc/debian_version'))
    return false
  say('No Chromium found: installing chromium-headless-shell with apt-get')
  const options = { encoding: 'utf8', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const
  const wait = ['-o', 'DPkg::Lock::Timeout=300']
  spawnSync('apt-get', ['update', ...wait], options)
  const install = spawnSync(
    'apt-get',
    ['install', '-y', '--no-install-recommends', ...wait, 'chromium-headless-shell'],
    options,
  )
  if (install.status !== 0) say(install.error?.message ?? install.stderr.trim())
  return install.status === 0
}

async function installFromPackage(say: (line: string) => void): Promise<boolean> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false
  say('No Chromium found: fetching one as a package into .tools')
  mkdirSync(tools, { recursive: true })
  // A prefix of its own: npm removes from a folder what it was not asked for in the same call.
  writeFileSync(join(tools, 'package.json'), '{"private":true}\n')
  const npm = spawnSync(
    'npm',
    [
      'install',
      '--prefix',
      tools,
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '--loglevel=error',
      `${packaged}@${packagedVersion}`,
    ],
    { encoding: 'utf8' },
  )
  if (npm.status !== 0) {
    say(npm.error?.message ?? npm.stderr.trim())
    return false
  }
  // It unpacks itself into the folder for temporary files, so that folder is set to one that stays.
  const packageDir = join(tools, 'node_modules', packaged)
  const unpack = `
    const { default: chromium, inflate } = await import('${packaged}')
    await inflate(${JSON.stringify(join(packageDir, 'bin', 'al2023.tar.br'))})
    console.log(await chromium.executablePath())`
  const unpacked = spawnSync(process.execPath, ['--input-type=module', '-e', unpack], {
    cwd: tools,
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: tools },
  })
  if (unpacked.status !== 0) {
    say((unpacked.stderr ?? '').trim())
    return false
  }
  writeFileSync(join(tools, 'path'), unpacked.stdout.trim().split('\n').at(-1) ?? '')
  return true
}

function environment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  return Object.fromEntries(entries)
}
