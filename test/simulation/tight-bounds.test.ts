// A tight world does not begin where a bound that it makes small stands somewhere else by now.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tightBounds } from './tight/bounds.ts'

const packages = join(import.meta.dirname, '../../packages')

test.each(tightBounds)('$file sets $name once', ({ file, name }) => {
  const [, ...places] = readFileSync(join(packages, file), 'utf8').split(`const ${name} = `)
  expect(places).toHaveLength(1)
})
