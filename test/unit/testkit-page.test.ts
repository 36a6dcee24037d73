// The page about the testkit says what is so: its examples run, and its tables name what there is.
import { everyFault, faultNames, pathNames } from '@rejoin/testkit'
import * as testkit from '@rejoin/testkit'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { compileExamples, examplesOf, runExample } from './example.ts'

const path = 'packages/testkit/docs/testkit.md'
const page = readFileSync(join(import.meta.dirname, '../..', path), 'utf8')
const [application = '', history = '', contract = ''] = examplesOf(path)
/** What stands in the place of the reader's own application. */
const notes = `import { collection } from '@rejoin/client'
import { lww } from '@rejoin/resolve'
import * as v from 'valibot'
const notes = collection('notes', { title: lww(v.string()) })
`

test('an application is tested in simulated time as the page shows', async () => {
  await runExample(withNotes(application))
})

test('a history runs as the page shows, and finds nothing', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  onTestFinished(() => log.mockRestore())
  await runExample(history)
  expect(log.mock.calls[0]).toEqual([[]])
  expect(log.mock.calls[1]?.[0]).toContainEqual(expect.stringMatching(/^\d+ faults stop$/))
})

test('the examples of the page compile', () => {
  expect(compileExamples(withNotes(application), history, contract)).toBe('')
}, 60_000)

test('the page says of every fault what it does', () => {
  expect(tableOf('fault').sort()).toEqual([...faultNames].sort())
  expect(Object.keys(everyFault).sort()).toEqual([...faultNames].sort())
})

test('the page says of every path how it is seen', () => {
  expect(tableOf('path').sort()).toEqual([...pathNames].sort())
})

test('the page names what the testkit exports, and every contract', () => {
  const named = [...tableOf(''), ...tableOf('contract')]
  expect(named.length).toBeGreaterThan(12)
  expect(named.filter(name => !(name in testkit))).toEqual([])
  const contracts = Object.keys(testkit).filter(name => name.endsWith('Contract'))
  expect(tableOf('contract').sort()).toEqual(contracts.sort())
})

function withNotes(code: string): string {
  return notes + code.replace("import { notes } from './application.ts'\n", '')
}

/** The names in code in the first column of the tables that begin with a heading. */
function tableOf(heading: string): string[] {
  const table =
    page.split('\n\n').find(part => new RegExp(`^\\| ${heading}\\s*\\|.*\\n\\| ?---`).test(part)) ?? ''
  return table
    .split('\n')
    .slice(2)
    .flatMap(line => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(match => match[1] ?? ''))
}
