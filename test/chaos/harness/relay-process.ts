/**
 * A relay as a process of its own: `rejoin serve` on a folder and a port, which it keeps through every end and every
 * new start, so that clients find it again where it was.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { until, within } from './until.ts'

/** One line of the relay's log. */
export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

export interface RelayProcess {
  /** The file of its store. */
  readonly path: string
  /** Of the process that runs. */
  readonly pid: number
  readonly port: number
  /** Of the WebSocket. */
  readonly url: string
  /** Everything that it logged since the first start. */
  readonly log: readonly LogLine[]
  /** Starts it again, and resolves when it answers that it lives. */
  start(): Promise<void>
  /** Ends it as a power cut would: nothing of it runs any more. */
  kill(): Promise<void>
  /** Ends it in order. */
  stop(): Promise<void>
  /** Resolves when it has ended by itself, with its exit code. */
  ended(): Promise<number | null>
  /** Ends it if it runs, and removes its folder. */
  close(): Promise<void>
}

const command = join(dirname(createRequire(import.meta.url).resolve('@rejoin/relay')), 'command.ts')

// Whoever starts a relay holds its standard input; when that ends, however it ends, so does the relay.
const guard =
  'data:text/javascript,process.stdin.on("end",()=>process.kill(process.pid,"SIGKILL")).resume().unref()'

export interface RelayProcessOptions {
  /** The text of a module as `--rules` takes it. */
  readonly rules?: string
  readonly logLevel?: 'error' | 'info' | 'debug'
  /** The folder of its store; one of its own, if left out. */
  readonly data?: string
}

export async function startRelayProcess(options: RelayProcessOptions = {}): Promise<RelayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'rejoin-relay-'))
  const data = options.data ?? join(folder, 'data')
  mkdirSync(data, { recursive: true })
  const rules = join(folder, 'rules.mjs')
  if (options.rules !== undefined) writeFileSync(rules, options.rules)
  const log: LogLine[] = []
  let child: ChildProcess | null = null
  let port = 0
  let starts = 0

  async function start(): Promise<void> {
    const args = ['serve', '--dev', '--no-rehearsal', '--port', `${port}`, '--data', data]
    args.push('--log-level', options.logLevel ?? 'info')
    if (options.rules !== undefined) args.push('--rules', rules)
    // Who is started again and again need not be compiled again; only a process that ends in order leaves that.
    const env = port === 0 ? process.env : { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') }
    if (starts === 1) spawnSync(process.execPath, [command, 'help'], { env })
    starts += 1
    const started = spawn(process.execPath, ['--import', guard, command, ...args], { env })
    child = started
    started.stderr.on(
      'data',
      gatherLines(line => log.push(parseLine(line))),
    )
    const said = await within(
      new Promise<string>((resolve, reject) => {
        started.stdout.on('data', gatherLines(resolve))
        started.once('close', code => {
          reject(new Error(`a relay ended with code ${code}: ${JSON.stringify(log.at(-1) ?? null)}`))
        })
      }),
      'a relay says where it listens',
    )
    port = Number(/:(\d+)\/v1\/sync/.exec(said)?.[1])
    await until(() => lives(port), 'a relay lives')
  }

  async function end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const ended = child
    child = null
    if (ended === null || ended.exitCode !== null || ended.signalCode !== null) return
    const closed = once(ended, 'close')
    ended.kill(signal)
    await within(closed, `a relay ends by ${signal}`)
  }

  async function ended(): Promise<number | null> {
    const ending = child
    if (ending === null) throw new Error('no relay runs')
    await until(() => ending.exitCode !== null || ending.signalCode !== null, 'a relay ends by itself')
    return ending.exitCode
  }

  await start()
  return {
    path: join(data, 'rejoin.db'),
    log,
    get pid() {
      return child?.pid ?? 0
    },
    get port() {
      return port
    },
    get url() {
      return `ws://127.0.0.1:${port}/v1/sync`
    },
    start,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    ended,
    async close() {
      await end('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function lives(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/livez`).catch(() => null)
  return answer?.ok === true
}

function gatherLines(take: (line: string) => void): (chunk: Buffer) => void {
  let rest = ''
  return chunk => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  }
}

/** What is no JSON was said by Node itself, and is as loud as an error. */
function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line)
  } catch {
    return { level: 50, msg: line }
  }
}
