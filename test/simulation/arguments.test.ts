/** What the simulator's command takes, and what it says of what it does not take. */
import { expect, test } from 'vitest'
import { readArguments, writeFaults } from './arguments.ts'

test.each([
  ['--seed', 'abc'],
  ['--seed', '1.5'],
  ['--runs', '0'],
  ['--steps', '0'],
  ['--seconds', 'x'],
  ['--jobs', '0'],
])('%s is no %s', (option, text) => {
  expect(() => readArguments([option, text])).toThrow(`${option} is a whole number`)
})

test.each([
  [['--topology', 'star'], "there is no topology 'star'; there are calm, one"],
  [['--plant', 'Z9'], "there is no plant 'Z9'"],
  [['--faults', 'cut'], 'how often each happens'],
  [['--faults', 'cut=2'], 'how often each happens'],
  [['--faults', 'cuts=0.1'], "there is no fault 'cuts'"],
  [['--plant', 'T1', '--seed', '1'], 'with a seed, one of'],
])('%j is refused by name', (given, message) => {
  expect(() => readArguments(given)).toThrow(message)
})

test('a plant is had by its name, and those of a rule by the rule', () => {
  expect(readArguments(['--plant', 'T1 own']).plants.map(({ name }) => name)).toEqual(['T1 own'])
  const names = readArguments(['--plant', 'T1']).plants.map(({ name }) => name)
  expect(names).toContain('T1 own')
  expect(names.every(name => name.startsWith('T1'))).toBe(true)
})

test('faults are read as they are written', () => {
  const faults = { cut: 0.1, 'relay-loss': 1 }
  expect(readArguments(['--faults', writeFaults(faults)]).faults).toEqual(faults)
  expect(readArguments(['--faults', writeFaults({})]).faults).toEqual({})
  expect(readArguments([]).faults).toBeUndefined()
})
