/** W9: what a page loads: the client with its strategies, minified and gzipped, without Yjs and with it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { bundle as bundleCode } from '../browser/bundle.ts'
import { figureOf } from '../figure.ts'
import type { Workload } from './workload.ts'

const withoutTexts = `
  export { collection, openReplica } from '@rejoin/client'
  export { ask, counter, lww, set } from '@rejoin/resolve'
`
const withTexts = `${withoutTexts}
  export { text } from '@rejoin/resolve'
`

export const bundle: Workload = {
  name: 'W9',
  about: 'the client in a page, minified and gzipped',
  async run() {
    return [
      figureOf(
        { workload: 'W9', figure: 'without Yjs', unit: 'bytes' },
        { max: 13_000 },
        await size(withoutTexts),
        null,
      ),
      figureOf(
        { workload: 'W9', figure: 'with Yjs', unit: 'bytes' },
        { max: 40_000 },
        await size(withTexts),
        null,
      ),
    ]
  },
}

async function size(source: string): Promise<number> {
  // Beside the packages, so that their names are found.
  const folder = mkdtempSync(join(import.meta.dirname, '.bundle-'))
  try {
    const entry = join(folder, 'entry.ts')
    writeFileSync(entry, source)
    return gzipSync(await bundleCode(entry), { level: 9 }).length
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
