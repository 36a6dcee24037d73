/** Where in the product's source a text stands. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = fileURLToPath(new URL('../../../packages/', import.meta.url))

/** Files of the source, each as often as it holds the text. */
export function createPlaces(): (text: string) => readonly string[] {
  const sources = readdirSync(packages, { recursive: true, encoding: 'utf8' })
    .filter(path => /^[a-z]+\/src\/.*\.ts$/.test(path.replaceAll('\\', '/')))
    .map(path => ({ path: join(packages, path), source: readFileSync(join(packages, path), 'utf8') }))
  return text =>
    sources.flatMap(({ path, source }) =>
      source
        .split(text)
        .slice(1)
        .map(() => path),
    )
}
