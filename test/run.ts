// Everything that `npm test` promises, in order: format, lint, types, then every test. Its last line is
// `N passed, N failed`, also when a step before the tests breaks: a step that fails counts as one failure.
// Arguments name vitest projects (`npm test -- unit contract`); without any, all of them run. `npm run soak` is this with
// `--soak`: of the tests those that drive browsers and relays, each as long and as often as it can be worth (soak.ts), and
// ten minutes of histories that nobody has simulated before.
import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { findOrInstallChromium } from './browser-path.ts'

interface Ended {
  readonly code: number
  readonly output: string
}

interface Counts {
  readonly passed: number
  readonly failed: number
}

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[]
}

const root = join(import.meta.dirname, '..')
const isSoak = process.argv.includes('--soak')
const named = process.argv.slice(2).filter(argument => !argument.startsWith('-'))
const projects = named.length === 0 && isSoak ? ['e2e', 'chaos', 'fresh'] : named
const env = {
  ...process.env,
  ...(isSoak ? { REJOIN_SOAK: '1' } : {}),
  PATH: [
    join(root, 'node_modules', '.bin'),
    join(import.meta.dirname, 'node_modules', '.bin'),
    process.env['PATH'] ?? '',
  ].join(delimiter),
}
let passed = 0
let failed = 0
let running: ChildProcess | undefined
let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted = true
    running?.kill(signal)
  })
}

if (!isSoak) {
  await step('format', 'biome', ['format', '--config-path=.biome.json', '.'])
  await step('lint', 'oxlint', [])
  await step('types', 'tsc', ['-b', 'test'])
}
await findBrowser()
await runTests()

if (passed + failed === 0) failed = 1
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

async function step(name: string, command: string, args: readonly string[]): Promise<void> {
  const ended = await run(command, args, ['ignore', 'pipe', 'pipe'])
  if (ended.code === 0) return
  failed += 1
  console.log(`${name} failed\n${ended.output}`)
}

async function findBrowser(): Promise<void> {
  if (projects.length > 0 && !projects.some(name => ['browser', 'e2e', 'chaos'].includes(name))) return
  if ((await findOrInstallChromium(line => console.log(line))) !== undefined) return
  failed += 1
  console.log('No Chromium found and none could be installed: npx playwright install chromium')
}

async function runTests(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rejoin-test-'))
  const report = join(folder, 'report.json')
  const args = ['run', '--config', 'test/vitest.config.ts', ...projects.map(name => `--project=${name}`)]
  args.push('--passWithNoTests', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`)
  const ended = await run('vitest', args, 'inherit')
  const counts = readReport(report)
  rmSync(folder, { recursive: true, force: true })
  passed += counts.passed
  failed += counts.failed
  // An error outside every test, or a run that ended early, fails without failing a test.
  if (ended.code !== 0 && counts.failed === 0) failed += 1
}

function run(command: string, args: readonly string[], stdio: StdioOptions): Promise<Ended> {
  if (interrupted) return Promise.resolve({ code: 1, output: 'interrupted' })
  return new Promise(settle => {
    const child = spawn(command, args, { cwd: root, env, stdio })
    running = child
    let output = ''
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', error => settle({ code: 1, output: error.message }))
    child.on('close', code => settle({ code: code ?? 1, output }))
  })
}

function readReport(path: string): Counts {
  if (!existsSync(path)) return { passed: 0, failed: 0 }
  const report: Report = JSON.parse(readFileSync(path, 'utf8'))
  const unloaded = report.testResults.filter(
    file => file.status === 'failed' && file.assertionResults.length === 0,
  )
  return { passed: report.numPassedTests, failed: report.numFailedTests + unloaded.length }
}
