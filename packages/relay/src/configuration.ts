/**
 * The configuration of the command, from its arguments and then the environment. It is checked as a whole before
 * anything begins, and every problem is one line.
 */
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { logLevels, type LogLevel } from './logger.ts'
import { isLoopback, isOrigin } from './origin.ts'

export interface Configuration {
  readonly port: number
  readonly host: string
  /** The folder of the store. */
  readonly data: string
  readonly development: boolean
  readonly origins: readonly string[]
  /** A module that exports `token`, `access`, `accept` or `collections`. */
  readonly rules: string | null
  readonly logLevel: LogLevel
  /** Whether it rehearses before it listens. */
  readonly rehearsal: boolean
}

export type ParsedConfiguration =
  | { readonly ok: true; readonly configuration: Configuration }
  | { readonly ok: false; readonly problems: readonly string[] }

export const usage: string = `rejoin serve: a relay that judges, stores and forwards.

  --port NUMBER     where to listen (4455)                     REJOIN_PORT
  --host ADDRESS    where to listen (127.0.0.1)                REJOIN_HOST
  --data DIR        folder of the store (.rejoin)              REJOIN_DATA
  --dev             any token is a user, this machine only     REJOIN_DEV
  --origin ORIGIN   a web page's origin that may connect; *    REJOIN_ORIGIN
  --rules FILE      a module with token, access, accept        REJOIN_RULES
  --log-level NAME  ${logLevels.join(', ')} (info)         REJOIN_LOG_LEVEL
  --no-rehearsal    starts sooner, with code that is cold      REJOIN_NO_REHEARSAL

  * may be given several times; in the environment, separated by commas.`

const options = {
  port: { type: 'string' },
  host: { type: 'string' },
  data: { type: 'string' },
  dev: { type: 'boolean' },
  origin: { type: 'string', multiple: true },
  rules: { type: 'string' },
  'log-level': { type: 'string' },
  'no-rehearsal': { type: 'boolean' },
} as const

export function parseConfiguration(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ParsedConfiguration {
  let given: ReturnType<typeof readArguments>
  try {
    given = readArguments(args)
  } catch (error) {
    const [line = ''] = String(error instanceof Error ? error.message : error).split('\n')
    return { ok: false, problems: [line] }
  }
  const fromEnvironment = (name: string): string | undefined => environment[`REJOIN_${name}`] || undefined
  const list = (name: string): readonly string[] =>
    (fromEnvironment(name) ?? '').split(',').flatMap(part => part.trim() || [])

  const problems: string[] = []
  const rules = given.rules ?? fromEnvironment('RULES') ?? null
  const configuration: Configuration = {
    port: parsePort(given.port ?? fromEnvironment('PORT') ?? '4455', problems),
    host: given.host ?? fromEnvironment('HOST') ?? '127.0.0.1',
    data: resolve(given.data ?? fromEnvironment('DATA') ?? '.rejoin'),
    development: given.dev ?? parseSwitch('DEV', fromEnvironment('DEV'), problems),
    origins: given.origin ?? list('ORIGIN'),
    rules: rules === null ? null : resolve(rules),
    logLevel: parseLevel(given['log-level'] ?? fromEnvironment('LOG_LEVEL') ?? 'info', problems),
    rehearsal: !(
      given['no-rehearsal'] ?? parseSwitch('NO_REHEARSAL', fromEnvironment('NO_REHEARSAL'), problems)
    ),
  }
  findProblems(configuration, problems)
  return problems.length === 0 ? { ok: true, configuration } : { ok: false, problems }
}

/** The file of the store in the data folder. */
export function storePath(configuration: Configuration): string {
  return join(configuration.data, 'rejoin.db')
}

function readArguments(args: readonly string[]) {
  return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values
}

function findProblems(configuration: Configuration, problems: string[]): void {
  const { development, host, origins, rules } = configuration
  if (!development && rules === null) {
    problems.push(
      'Nobody could connect: give --rules FILE with a function `token`, or --dev on your own machine.',
    )
  }
  if (development && !isLoopback(host)) {
    problems.push(`--dev trusts everybody, so it listens on this machine only, and --host ${host} is not.`)
  }
  for (const origin of origins) {
    if (!isOrigin(origin)) {
      problems.push(`--origin ${origin} is not an origin as browsers send it, such as https://notes.example.`)
    }
  }
}

function parsePort(text: string, problems: string[]): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port >= 0 && port <= 65_535) return port
  problems.push(`--port ${text} is not a number from 0 to 65535.`)
  return 0
}

function parseSwitch(name: string, text: string | undefined, problems: string[]): boolean {
  if (text === undefined || text === '0' || text === 'false') return false
  if (text === '1' || text === 'true') return true
  problems.push(`REJOIN_${name} is ${text}; it takes 1 or 0.`)
  return false
}

function parseLevel(text: string, problems: string[]): LogLevel {
  const level = logLevels.find(known => known === text)
  if (level !== undefined) return level
  problems.push(`--log-level ${text} is none of ${logLevels.join(', ')}.`)
  return 'info'
}
