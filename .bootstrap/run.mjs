// The way in from a bare clone: plain JavaScript for any Node from 18 on. It fetches a newer Node and a pnpm
// into .tools where the machine has none, installs what the lock file says, and then runs one script of the
// root's package.json. When all of that is there already, it says nothing and adds a fraction of a second.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NODE = '24.21.0'
const PNPM = '12.21.0'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const tools = join(root, '.tools')
const bin = join(tools, 'node_modules', '.bin')
const isWindows = process.platform === 'win32'

const [script, ...rest] = process.argv.slice(2)
const command = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts[script ?? '']?.split(' ')
if (command?.[0] !== 'node') fail(`There is no script "${script}" that node runs in package.json.`)

const needsNode = !isNodeRecent()
const needsPnpm = !isPnpmRecent()
fetchTools([...(needsNode ? [nodePackage()] : []), ...(needsPnpm ? [`pnpm@${PNPM}`] : [])])

const node = needsNode ? join(bin, 'node') : process.execPath
const env = {
  ...process.env,
  PATH: [dirname(node), bin, join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
}
installPackages()
runScript()

function isNodeRecent() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  return major > 24 || (major === 24 && minor >= 12)
}

function isPnpmRecent() {
  const found = spawnSync('pnpm', ['--version'], { cwd: root, encoding: 'utf8', shell: isWindows })
  return found.status === 0 && Number(found.stdout.split('.')[0]) >= 11 && isNodeRecent()
}

function nodePackage() {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    fail(`Node ${process.versions.node} is too old: install Node 24.12 or newer first.`)
  }
  // The real binary inside a registry package, with no install script that npm could refuse to run.
  return `node-linux-${process.arch}@${NODE}`
}

function fetchTools(wanted) {
  const stamp = join(tools, 'stamp')
  const present = existsSync(stamp) ? readFileSync(stamp, 'utf8').split(' ') : []
  if (wanted.every(name => present.includes(name))) return
  console.error(`Fetching ${wanted.join(' and ')} into .tools`)
  mkdirSync(tools, { recursive: true })
  writeFileSync(join(tools, 'package.json'), '{"private":true}\n')
  const quiet = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
  const npm = spawnSync('npm', ['install', '--prefix', tools, ...quiet, ...wanted], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: isWindows,
  })
  if (npm.status !== 0) fail('npm could not fetch them.', npm.status ?? 1)
  writeFileSync(stamp, wanted.join(' '))
}

function installPackages() {
  const install = ['install', '--prefer-offline', '--frozen-lockfile']
  // Where nothing was installed yet the wait is worth watching; an install with nothing to do is not.
  const isFirst = !existsSync(join(root, 'node_modules', '.modules.yaml'))
  const options = { cwd: root, env, encoding: 'utf8', shell: isWindows }
  const pnpm = spawnSync('pnpm', install, { ...options, stdio: isFirst ? ['ignore', 2, 2] : 'pipe' })
  if (pnpm.status === 0) return
  fail(`${pnpm.stdout ?? ''}${pnpm.stderr ?? ''}pnpm could not install the packages.`, pnpm.status ?? 1)
}

function runScript() {
  const child = spawn(node, [...command.slice(1), ...rest], { cwd: root, env, stdio: 'inherit' })
  // A signal to this process alone must end the child too; the child decides how, and its end is ours.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  // npm passes a signal on to the shell between us, which dies of it without a word: losing the parent is the sign.
  const parent = process.ppid
  const watch = setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 200)
  child.on('exit', (code, signal) => {
    clearInterval(watch)
    process.exit(code ?? (signal === 'SIGINT' ? 130 : 143))
  })
}

function fail(message, code = 1) {
  console.error(message)
  process.exit(code)
}
