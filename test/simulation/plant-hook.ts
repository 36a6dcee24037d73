/**
 * Plants a bug: rewrites one place of one source file as it is loaded, and nothing on disk. The product has no switch
 * for it, so no build can have it. Given to Node by `--import`, with the plant's name in the environment.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { elusive, plants } from './plants.ts'

const name = process.env['REJOIN_PLANT']
const plant = [...plants, ...elusive].find(one => one.name === name)
if (plant === undefined) throw new Error(`there is no plant ${name}`)

const packages = fileURLToPath(new URL('../../packages/', import.meta.url))
const places = readdirSync(packages, { recursive: true, encoding: 'utf8' })
  .filter(path => /^[a-z]+\/src\/.*\.ts$/.test(path.replaceAll('\\', '/')))
  .map(path => join(packages, path))
  .filter(path => readFileSync(path, 'utf8').includes(plant.find))
const [place] = places
if (place === undefined || places.length > 1 || readFileSync(place, 'utf8').split(plant.find).length !== 2) {
  throw new Error(`the plant ${name} fits ${places.length === 1 ? 'several' : places.length} places, not one`)
}
const target = pathToFileURL(place).href

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (url !== target) return loaded
    return { ...loaded, source: String(loaded.source).replace(plant.find, () => plant.replace) }
  },
})
