// The relay with its stock settings. PORT, HOST and DATA_DIR are from the environment.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const { PORT, HOST, DATA_DIR } = process.env
const command = join(dirname(createRequire(import.meta.url).resolve('@rejoin/relay')), 'command.ts')
process.argv.splice(
  1,
  Infinity,
  command,
  'serve',
  '--dev',
  '--port',
  PORT,
  '--host',
  HOST,
  '--data',
  DATA_DIR,
)
await import(pathToFileURL(command).href)
