/** Programs and test runs that open and close replicas again and again end by themselves, whatever the network does. */
import { spawn } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { createRequire } from 'node:module'
import { createRelay } from '@rejoin/relay'
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest'

interface Ended {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

const harness = join(import.meta.dirname, 'harness')
const relay = createRelay({ development: true })
const silent = createServer(() => {})
const urls = { up: '', down: 'ws://127.0.0.1:9', 'black-holed': '', 'back-off': 'ws://127.0.0.1:9' }
beforeAll(async () => {
  urls.up = (await relay.listen({ port: 0 })).url
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  urls['black-holed'] = `ws://127.0.0.1:${(silent.address() as AddressInfo).port}`
})
afterAll(async () => {
  await relay.close()
  silent.close()
})

const states = ['up', 'down', 'black-holed', 'back-off'] as const
const programs: readonly (readonly [state: keyof typeof urls, storage: string, way: string])[] = [
  ...states.map(state => [state, 'memory', 'close'] as const),
  ...states.map(state => [state, 'fake-indexeddb', 'close'] as const),
  ['up', 'memory', 'await using'],
  ['up', 'memory', 'relay in the same process'],
]

describe.concurrent('a program ends by itself', () => {
  test.for(programs)('within a second, with the relay %s, kept in %s, ended by %s', async (program, own) => {
    const [state, storage, way] = program
    const script = join(harness, 'closing-rounds-script.ts')
    const ended = await run(own, [script, urls[state], storage, state, way])
    expect({ code: ended.code, errors: ended.errors }).toEqual({ code: 0, errors: '' })
    const told = JSON.parse(ended.output)
    expect(told).toMatchObject({ rounds: 20, heardAfter: 0, left: [] })
    expect(told.closeMsMax).toBeLessThan(2000)
    expect(told.wentOnMs).toBeLessThan(1000)
  })
})

test('a test run of vitest ends by itself, with timers that nobody turns too', async own => {
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
  const config = join(harness, 'closing-vitest.config.ts')
  const ended = await run(own, [vitest, 'run', '--config', config], { REJOIN_URL: urls.up })
  expect(ended, ended.output).toMatchObject({ code: 0, errors: '' })
  expect(ended.output).toContain('3 passed')
  expect(ended.output).not.toContain('something prevents')
})

/** Beside other tests: which of them is over only its own context knows. */
function run(
  { onTestFinished }: TestContext,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  const env = { ...process.env, ...environment }
  // A runner inside a runner is one of its own.
  for (const name of Object.keys(env)) if (name.startsWith('VITEST')) delete env[name]
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  let errors = ''
  child.stdout.on('data', chunk => (output += String(chunk)))
  child.stderr.on('data', chunk => (errors += String(chunk)))
  return new Promise(resolve => {
    child.once('close', code => resolve({ code, output, errors }))
  })
}
