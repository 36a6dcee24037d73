// Rejoin for a comparison of products that may run under an older Node: the client is bundled from its source when this
// is imported, has the WebSocket of `ws` as all others have, and the relay runs under a Node that knows TypeScript.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'vite'
import { WebSocket } from 'ws'

globalThis.WebSocket = WebSocket
const folder = dirname(dirname(fileURLToPath(import.meta.url)))
const { connect } = await import(await bundleClient())
// Of whoever runs it: the same module counts the bytes of this process.
const { startServer } = await import(pathToFileURL(join(dirname(process.argv[1]), '../lib/util.mjs')).href)

export default {
  name: 'rejoin',
  text: true,
  rooms: true,
  start: ({ env, ...options } = {}) =>
    startServer(join(folder, 'servers/rejoin.mjs'), {
      node: findNode(),
      ...options,
      // As the command starts itself.
      env: { NODE_OPTIONS: '--max-semi-space-size=2', ...env },
    }),
  connect: (server, room) => connect(`ws://127.0.0.1:${server.port}/v1/sync`, room),
}

async function bundleClient() {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true },
    build: { ssr: join(folder, 'client.ts'), write: false },
  })
  const temporary = mkdtempSync(join(tmpdir(), 'rejoin-adapter-'))
  process.on('exit', () => rmSync(temporary, { recursive: true, force: true }))
  const file = join(temporary, 'client.mjs')
  writeFileSync(file, built.output[0].code)
  return pathToFileURL(file).href
}

/** The one that the project brings along, where the machine has an older one. */
function findNode() {
  const brought = join(folder, '../../../.tools/node_modules/.bin/node')
  return existsSync(brought) ? brought : process.execPath
}
