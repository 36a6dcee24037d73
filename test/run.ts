// Everything that `npm test` promises, in order: format, lint, types, then every test. Its last line is
// `N passed, N failed`, also when a step before the tests breaks: a step that fails counts as one failure.
// Arguments name vitest projects (`npm test -- unit contract`); without any, all of them run.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { findOrInstallChromium } from './browser-path.ts'

const root = join(import.meta.dirname, '..')
const projects = process.argv.slice(2).filter(argument => !argument.startsWith('-'))
const env = {
  ...process.env,
  PATH: [
    join(root, 'node_modules', '.bin'),
    join(import.meta.dirname, 'node_modules', '.bin'),
    process.env['PATH'] ?? '',
  ].join(delimiter),
}
let passed = 0
let failed = 0

step('format', 'biome', ['format', '--config-path=.biome.json', '.'])
step('lint', 'oxlint', [])
step('types', 'tsc', ['-b', 'test'])
await findBrowser()
runTests()

if (passed + failed === 0) failed = 1
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

function step(name: string, command: string, args: readonly string[]): void {
  const ended = spawnSync(command, args, { cwd: root, env, encoding: 'utf8' })
  if (ended.status === 0) return
  failed += 1
  console.log(`${name}: ${ended.error?.message ?? 'failed'}\n${ended.stdout ?? ''}${ended.stderr ?? ''}`)
}

async function findBrowser(): Promise<void> {
  if (projects.length > 0 && !projects.some(name => ['browser', 'e2e', 'chaos'].includes(name))) return
  if ((await findOrInstallChromium(line => console.log(line))) !== undefined) return
  failed += 1
  console.log('No Chromium found and none could be installed: npx playwright install chromium')
}

function runTests(): void {
  const folder = mkdtempSync(join(tmpdir(), 'rejoin-test-'))
  const report = join(folder, 'report.json')
  const args = ['run', '--config', 'test/vitest.config.ts', ...projects.map(name => `--project=${name}`)]
  args.push('--passWithNoTests', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`)
  const ended = spawnSync('vitest', args, { cwd: root, env, stdio: 'inherit' })
  const counts = readReport(report)
  rmSync(folder, { recursive: true, force: true })
  passed += counts.passed
  failed += counts.failed
  // A file that does not load, or an error outside every test, fails the run without failing a test.
  if (ended.status !== 0 && counts.failed === 0) failed += 1
}

function readReport(path: string): { readonly passed: number; readonly failed: number } {
  try {
    const report: { readonly numPassedTests: number; readonly numFailedTests: number } = JSON.parse(
      readFileSync(path, 'utf8'),
    )
    return { passed: report.numPassedTests, failed: report.numFailedTests }
  } catch {
    return { passed: 0, failed: 0 }
  }
}
