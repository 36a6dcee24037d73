/**
 * Makes the bounds of the product tight as its source is loaded, and changes nothing on disk. Given to Node by `--import`.
 */
import { registerHooks } from 'node:module'
import { tightBounds } from './bounds.ts'

const packages = new URL('../../../packages/', import.meta.url)

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    const here = tightBounds.filter(({ file }) => new URL(file, packages).href === url)
    if (here.length === 0) return loaded
    const tightened = here.reduce((source, { file, name, value }) => {
      const [, ...places] = source.split(`const ${name} = `)
      if (places.length !== 1) throw new Error(`${file} sets ${name} ${places.length} times, not once`)
      return source.replace(new RegExp(`const ${name} = .*`), `const ${name} = ${value}`)
    }, String(loaded.source))
    return { ...loaded, source: tightened }
  },
})
