/** A module with what it imports, as one script for a page. */
import { basename } from 'node:path'
import { build } from 'vite'

export async function bundle(entry: string): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      minify: true,
      lib: { entry, formats: ['iife'], name: 'page', fileName: basename(entry, '.ts') },
    },
  })
  const outputs = [built].flat().flatMap(one => ('output' in one ? one.output : []))
  return outputs.map(output => (output.type === 'chunk' ? output.code : '')).join('')
}
