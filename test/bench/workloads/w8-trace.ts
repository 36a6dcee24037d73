/**
 * W8: a recorded editing session typed into a text at one client, read at another: through the relay as fast as it
 * goes. Beside it Yjs alone, without any network: the edits into one document, their updates into another.
 */
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import * as Y from 'yjs'
import { connectText } from '../contenders/rejoin-text.ts'
import { rejoinContender } from '../contenders/rejoin-contender.ts'
import { bytesSince, wireBytes } from '../measure/wire-bytes.ts'
import { sleep, turn, until } from '../measure/waiting.ts'
import { figuresOf, medians, type Aim, type Readings, type Workload } from './workload.ts'

type Patch = readonly [position: number, deleted: number, inserted: string]

const aims: readonly Aim[] = [
  { figure: 'edits', unit: 'edits/s', target: { ratioMin: 0.5 } },
  { figure: 'bytes an edit', unit: 'bytes', target: { max: 12 } },
  { figure: 'stored text', unit: 'bytes', target: { ratioMax: 1.1 } },
]

export const trace: Workload = {
  name: 'W8',
  about: 'a recorded editing session, client → relay → client',
  async run(rounds, extent) {
    const patches = readTrace().slice(0, extent === 'full' ? undefined : 3000)
    const rejoin: Readings[] = []
    const limit: Readings[] = []
    for (let round = 0; round < rounds; round++) {
      limit.push(alone(patches))
      rejoin.push(await measure(patches))
    }
    return figuresOf('W8', aims, { rejoin: medians(rejoin), limit: medians(limit) })
  },
}

function readTrace(): readonly Patch[] {
  const path = join(import.meta.dirname, '../../fixtures/editing-traces/sveltecomponent.json.gz')
  const recorded: { readonly txns: readonly { readonly patches: readonly Patch[] }[] } = JSON.parse(
    gunzipSync(readFileSync(path)).toString(),
  )
  return recorded.txns.flatMap(({ patches }) => patches)
}

function textAfter(patches: readonly Patch[]): string {
  let content = ''
  for (const [at, deleted, inserted] of patches)
    content = content.slice(0, at) + inserted + content.slice(at + deleted)
  return content
}

/** One transaction an edit at both ends, as typing is. */
function alone(patches: readonly Patch[]): Readings {
  const start = performance.now()
  const [one, other] = [new Y.Doc(), new Y.Doc()]
  one.on('update', (update: Uint8Array) => Y.applyUpdate(other, update))
  const content = one.getText('')
  for (const [at, deleted, inserted] of patches) {
    if (deleted > 0) content.delete(at, deleted)
    if (inserted !== '') content.insert(at, inserted)
  }
  if (other.getText('').toString() !== textAfter(patches)) throw new Error('Yjs alone ends in another text')
  const seconds = (performance.now() - start) / 1000
  return { edits: patches.length / seconds, 'stored text': Y.encodeStateAsUpdate(one).length }
}

async function measure(patches: readonly Patch[]): Promise<Readings> {
  const server = await rejoinContender.start()
  const url = `ws://127.0.0.1:${server.port}/v1/sync`
  const a = await connectText(url, 'w8', true)
  const b = await connectText(url, 'w8', false)
  const end = textAfter(patches)
  const bytesFrom = wireBytes()
  const start = performance.now()
  for (const [i, [at, deleted, inserted]] of patches.entries()) {
    if (deleted > 0) a.remove(at, deleted)
    if (inserted !== '') a.insert(at, inserted)
    if (i % 100 === 99) await turn()
  }
  await until(() => b.length() === end.length && b.content() === end, 'the text is at the second client')
  const seconds = (performance.now() - start) / 1000
  await sleep(500)
  const bytes = bytesSince(bytesFrom) / patches.length
  await a.close()
  await b.close()
  await sleep(1500)
  const stored = storedTextBytes(join(server.folder, 'rejoin.db'))
  await server.stop()
  return { edits: patches.length / seconds, 'bytes an edit': bytes, 'stored text': stored }
}

function storedTextBytes(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true })
  const row = database
    .prepare(
      'select (select coalesce(sum(length(snapshot)), 0) from texts) + (select coalesce(sum(length(bytes)), 0) from text_tails) as bytes',
    )
    .get()
  database.close()
  return Number(row?.['bytes'])
}
