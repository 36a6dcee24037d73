#!/usr/bin/env -S node --max-semi-space-size=2
/**
 * The `rejoin` command. Standard output says in one line what a person needs to know; standard error is the log, or
 * why it could not start: a line for each problem, code 2 if the configuration is wrong and 1 if the machine says no.
 *
 * The size of the young generation is a third of what an idle connection costs: what connections leave behind while
 * they open is then collected before it has grown the heap.
 */
import { mkdirSync } from 'node:fs'
import { parseConfiguration, storePath, usage, type Configuration } from './configuration.ts'
import { tuneEngine } from './engine.ts'
import type { Log } from './kernel-port.ts'
import { createLog } from './logger.ts'
import type { RelayOptions } from './relay-options.ts'
import { createRelay } from './relay.ts'
import { rehearse } from './rehearsal/rehearsal.ts'
import { readRules } from './rules-file.ts'
import type { RelayAddress } from './shell.ts'
import { closeOnSignal } from './signals.ts'
import { sqlite } from './sqlite/store.ts'

const [command, ...args] = process.argv.slice(2)
if (command === 'serve' && !args.includes('--help')) await serve()
else if (command === undefined || command.endsWith('help') || args.includes('--help')) console.log(usage)
else fail(2, [`There is no command ${command}; try rejoin help.`])

async function serve(): Promise<void> {
  tuneEngine()
  const parsed = parseConfiguration(args, process.env)
  if (!parsed.ok) return fail(2, parsed.problems)
  const { configuration } = parsed
  const rules = await readRules(configuration)
  if (!rules.ok) return fail(2, [rules.problem])
  const log = createLog(configuration.logLevel)
  const relay = createRelay(optionsOf(configuration, rules.rules, log))
  closeOnSignal(relay)
  void relay.lost.then(error => fail(1, [error.message]))
  if (configuration.rehearsal) await rehearse(log)
  try {
    mkdirSync(configuration.data, { recursive: true })
    const address = await relay.listen({ port: configuration.port, host: configuration.host })
    console.log(describe(configuration, address))
  } catch (error) {
    fail(1, [explain(configuration, error)])
  }
}

function optionsOf(configuration: Configuration, rules: Partial<RelayOptions>, log: Log): RelayOptions {
  const { development, origins } = configuration
  const store = sqlite(storePath(configuration))
  return { ...rules, store, development, origins, log }
}

function describe(configuration: Configuration, address: RelayAddress): string {
  const { development, origins, rules } = configuration
  const security = development
    ? 'development: any token is a user, and only pages of this machine may connect'
    : `users by ${rules}, pages from ${origins.length === 0 ? 'nowhere' : origins.join(', ')}`
  return `Rejoin relay at ${address.url}, data in ${storePath(configuration)}, ${security}`
}

function explain(configuration: Configuration, error: unknown): string {
  const { host, port, data } = configuration
  const code = error instanceof Error && 'code' in error ? error.code : null
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} of ${host} is taken; stop what listens there, or give another --port.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address ${host}; give another --host.`
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `Not permitted to use port ${port} or folder ${data}; give another --port or --data.`
    case 'EEXIST':
    case 'ENOTDIR':
      return `${data} is not a folder; give another --data.`
    default:
      return error instanceof Error ? (error.message.split('\n')[0] ?? error.name) : String(error)
  }
}

function fail(code: number, problems: readonly string[]): void {
  for (const problem of problems) console.error(`rejoin: ${problem}`)
  process.exit(code)
}
