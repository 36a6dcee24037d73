/** Rejoin as a contender: `rejoin serve` as a process of its own, and the client that an application opens. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { startServerProcess } from '../measure/server-process.ts'
import type { Contender } from './contender.ts'
import { connectRejoin } from './rejoin-client.ts'

const command = join(dirname(createRequire(import.meta.url).resolve('@rejoin/relay')), 'command.ts')

export const rejoinContender: Contender = {
  name: 'rejoin',
  start: () =>
    startServerProcess(
      folder => [command, 'serve', '--dev', '--port', '0', '--data', folder, '--log-level', 'error'],
      // As the command starts itself.
      ['--max-semi-space-size=2'],
    ),
  connect: (server, space) => connectRejoin(`ws://127.0.0.1:${server.port}/v1/sync`, space),
}
