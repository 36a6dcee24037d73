// The `rejoin` command as a process: what it says, how it ends, and with which code.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { openRawClient } from '../chaos/harness/raw-client.ts'
import { createRawWriter } from '../chaos/harness/raw-writer.ts'
import { until } from '../chaos/harness/until.ts'

interface Ended {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

interface Process {
  readonly child: ChildProcess
  /** The first line of its standard output. */
  readonly line: Promise<string>
  readonly ended: Promise<Ended>
}

const command = join(dirname(createRequire(import.meta.url).resolve('@rejoin/relay')), 'command.ts')

test('it says in one line where it is, where it keeps what it is told, and how it is secured', async () => {
  const data = createFolder()
  const relay = run(['serve', '--dev', '--port', '0', '--data', data])
  const line = await relay.line
  expect(line).toMatch(
    /^Rejoin relay at ws:\/\/127\.0\.0\.1:\d+\/v1\/sync, data in .*rejoin\.db, development: /,
  )
  expect(line).toContain(data)
  expect(await (await fetch(`http://127.0.0.1:${portIn(line)}/livez`)).text()).toBe('ok')
  relay.child.kill('SIGTERM')
  expect((await relay.ended).output.trim()).toBe(line)
})

test.each(['SIGTERM', 'SIGINT'] as const)(
  'on %s it tells its clients, and ends with code 0',
  async signal => {
    const relay = run(['serve', '--dev', '--port', '0', '--data', createFolder()])
    const socket = new WebSocket(`ws://127.0.0.1:${portIn(await relay.line)}/v1/sync`)
    onTestFinished(() => socket.terminate())
    await once(socket, 'open')
    const closed = once(socket, 'close')
    relay.child.kill(signal)
    relay.child.kill(signal)
    expect((await closed)[0]).toBe(1012)
    const { code, errors } = await relay.ended
    expect(code).toBe(0)
    for (const line of errors.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('level')
  },
)

test('it serves on where its log cannot be written, as on a disk that is full', async () => {
  const data = createFolder()
  const unwritable = join(data, 'log')
  writeFileSync(unwritable, '')
  const log = openSync(unwritable, 'r')
  onTestFinished(() => closeSync(log))
  const relay = run(['serve', '--dev', '--port', '0', '--data', data], {}, log)
  const client = await openRawClient((/ws:\S+sync/.exec(await relay.line) ?? [])[0] ?? '')
  onTestFinished(() => client.close())
  await client.greet()
  expect(await client.submit([[createRawWriter('notes').insert('a')]])).toEqual([null])
  relay.child.kill('SIGTERM')
  expect((await relay.ended).code).toBe(0)
})

test('every option can come from the environment', async () => {
  const data = createFolder()
  const environment = { REJOIN_DEV: '1', REJOIN_PORT: '0', REJOIN_DATA: data, REJOIN_LOG_LEVEL: 'silent' }
  const relay = run(['serve'], environment)
  expect(await relay.line).toContain(data)
  relay.child.kill('SIGTERM')
  expect(await relay.ended).toMatchObject({ code: 0, errors: '' })
})

test('its rules can come from a module', async () => {
  const data = createFolder()
  const rules = join(data, 'rules.mjs')
  writeFileSync(rules, 'export const token = async token => ({ user: token })\n')
  const relay = run([
    'serve',
    '--rules',
    rules,
    '--port',
    '0',
    '--data',
    data,
    '--origin',
    'https://a.example',
  ])
  expect(await relay.line).toContain('pages from https://a.example')
  relay.child.kill('SIGTERM')
  expect((await relay.ended).code).toBe(0)
})

test('a port that is taken is told in one line', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const ended = await run(['serve', '--dev', '--port', `${port}`, '--data', createFolder()]).ended
  expect(ended).toEqual({
    code: 1,
    output: '',
    errors: expect.stringMatching(/^rejoin: Port \d+ .* is taken.*\n$/),
  })
})

test('a store that another relay has open is told in one line that names it', async () => {
  const data = createFolder()
  const first = run(['serve', '--dev', '--port', '0', '--data', data])
  await first.line
  const ended = await run(['serve', '--dev', '--port', '0', '--data', data]).ended
  expect(ended.code).toBe(1)
  expect(ended.errors.trim().split('\n').length).toBe(1)
  expect(ended.errors).toContain(join(data, 'rejoin.db'))
  expect(ended.errors).toContain('another process')
  first.child.kill('SIGKILL')
  await first.ended
  const second = run(['serve', '--dev', '--port', '0', '--data', data])
  expect(await second.line).toContain(data)
  second.child.kill('SIGTERM')
  expect((await second.ended).code).toBe(0)
})

test.each([
  [['serve'], 'Nobody could connect'],
  [['serve', '--dev', '--host', '0.0.0.0'], 'this machine only'],
  [['serve', '--dev', '--port', 'http'], '--port http'],
  [['serve', '--dev', '--port', '65536'], '--port 65536'],
  [['serve', '--dev', '--origin', 'app.example'], '--origin app.example'],
  [['serve', '--dev', '--origin', 'https://app.example/'], '--origin https://app.example/'],
  [['serve', '--dev', '--log-level', 'loud'], '--log-level loud'],
  [['serve', '--dev', '--prot', '1'], '--prot'],
  [['serve', '--dev', 'extra'], 'extra'],
  [['serve', '--rules', '/nowhere/rules.mjs'], '/nowhere/rules.mjs'],
  [['srve'], 'srve'],
])('%j is told in one line, with code 2', async (args, part) => {
  const { code, output, errors } = await run(args).ended
  expect([code, output]).toEqual([2, ''])
  expect(errors).toMatch(/^rejoin: .*\n$/)
  expect(errors).toContain(part)
})

test('every problem of a configuration is told at once, a line each', async () => {
  const { code, errors } = await run(['serve', '--port', 'x', '--origin', 'y']).ended
  expect(code).toBe(2)
  expect(errors.trim().split('\n').length).toBe(3)
})

test('a data folder that cannot be made is told in one line', async () => {
  const file = join(createFolder(), 'file')
  writeFileSync(file, '')
  const { code, errors } = await run(['serve', '--dev', '--port', '0', '--data', file]).ended
  expect(code).toBe(1)
  expect(errors).toMatch(/^rejoin: .* is not a folder.*\n$/)
})

test('a relay whose folder was deleted acknowledges nothing more, and ends with one line that names the file', async () => {
  const data = createFolder()
  const relay = run(['serve', '--dev', '--port', '0', '--data', data, '--log-level', 'error'])
  const url = /ws:\S+sync/.exec(await relay.line)?.[0] ?? ''
  const client = await openRawClient(url)
  await client.greet()
  const writer = createRawWriter('notes')
  expect(await client.submit([[writer.insert('before')]])).toEqual([null])
  rmSync(data, { recursive: true })
  await expect(client.submit([[writer.insert('after')]])).rejects.toThrow('no verdict')
  const { code, errors } = await relay.ended
  expect(code).toBe(1)
  expect(errors).toMatch(/rejoin: .*rejoin\.db was removed or replaced.*\n$/)
})

test('it rehearses before it says where it is, and nothing of that stays', async () => {
  const [data, stage] = [createFolder(), createFolder()]
  const environment = { REJOIN_NO_REHEARSAL: '0', TMPDIR: stage }
  const relay = run(['serve', '--dev', '--port', '0', '--data', data], environment)
  const client = await openRawClient((/ws:\S+sync/.exec(await relay.line) ?? [])[0] ?? '')
  onTestFinished(() => client.close())
  await client.greet()
  expect(await client.submit([[createRawWriter('notes').insert('a')]])).toEqual([null])
  expect(readdirSync(stage)).toEqual([])
  relay.child.kill('SIGTERM')
  const { code, errors } = await relay.ended
  expect(code).toBe(0)
  expect(messagesOf(errors)).toEqual([
    'rehearsed',
    'relay started',
    'session opened',
    'session closed',
    'relay stopped',
  ])
})

test('a rehearsal that cannot be held is logged, and the relay starts all the same', async () => {
  const environment = { REJOIN_NO_REHEARSAL: '0', TMPDIR: join(createFolder(), 'nowhere') }
  const relay = run(['serve', '--dev', '--port', '0', '--data', createFolder()], environment)
  expect(await (await fetch(`http://127.0.0.1:${portIn(await relay.line)}/livez`)).text()).toBe('ok')
  relay.child.kill('SIGTERM')
  const { code, errors } = await relay.ended
  expect(code).toBe(0)
  expect(messagesOf(errors)[0]).toContain('the rehearsal failed')
})

test('a relay that is ended while it rehearses leaves nothing behind', async () => {
  const [data, stage] = [createFolder(), createFolder()]
  const environment = { REJOIN_NO_REHEARSAL: '0', TMPDIR: stage }
  const relay = run(['serve', '--dev', '--port', '0', '--data', join(data, 'store')], environment)
  await until(() => readdirSync(stage).length > 0, 'it rehearses')
  relay.child.kill('SIGTERM')
  expect(await relay.ended).toMatchObject({ code: 0, output: '' })
  expect(readdirSync(stage)).toEqual([])
  expect(readdirSync(data)).toEqual([])
})

test('help tells every option', async () => {
  const { code, output } = await run(['help']).ended
  expect(code).toBe(0)
  for (const name of ['--port', '--host', '--data', '--dev', '--origin', '--rules', '--no-rehearsal']) {
    expect(output).toContain(name)
  }
})

/** `log`: a file that takes its log, which can be read by nobody else then. */
function run(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  log: 'pipe' | number = 'pipe',
): Process {
  const child = spawn(process.execPath, [command, ...args], {
    env: { ...process.env, REJOIN_NO_REHEARSAL: '1', ...environment },
    stdio: ['ignore', 'pipe', log],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  let errors = ''
  child.stderr?.on('data', chunk => (errors += String(chunk)))
  const ended = new Promise<Ended>(resolve => {
    child.on('close', code => resolve({ code, output, errors }))
  })
  const line = new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', chunk => {
      output += String(chunk)
      if (output.includes('\n')) resolve(output.split('\n')[0] ?? '')
    })
    child.on('close', () => reject(new Error(`it ended: ${errors}`)))
  })
  line.catch(() => {})
  return { child, line, ended }
}

function messagesOf(log: string): readonly string[] {
  const lines = log.trim().split('\n')
  return lines.map(line => (JSON.parse(line) as { readonly msg: string }).msg)
}

function portIn(line: string): number {
  return Number(/:(\d+)\/v1\/sync/.exec(line)?.[1])
}

function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rejoin-command-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
