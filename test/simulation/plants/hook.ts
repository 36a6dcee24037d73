/**
 * Plants a bug: rewrites its places in the source as they are loaded, and nothing on disk. The product has no switch
 * for it, so no build can have it. Given to Node by `--import`, with the plant's name in the environment.
 */
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { plantNamed } from './all.ts'
import { editsOf } from './plant.ts'
import { createPlaces } from './places.ts'

const plant = plantNamed(process.env['REJOIN_PLANT'])
const placesOf = createPlaces()
const edits = editsOf(plant).map(({ find, replace }) => {
  const places = placesOf(find)
  const [place] = places
  if (place === undefined || places.length > 1)
    throw new Error(`the plant ${plant.name} fits ${places.length} places, not one: ${find}`)
  return { url: pathToFileURL(place).href, find, replace }
})

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    const here = edits.filter(edit => edit.url === url)
    if (here.length === 0) return loaded
    const planted = here.reduce(
      (source, edit) => source.replace(edit.find, () => edit.replace),
      String(loaded.source),
    )
    return { ...loaded, source: planted }
  },
})
