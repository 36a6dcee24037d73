// The reference of the surface says what is so: its examples run, one after the other, against a replica.
import { collection } from '@rejoin/client'
import * as resolve from '@rejoin/resolve'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { openReplica } from './notes-surface.ts'

test('the examples of the reference run as they stand', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../../packages/client/docs/surface.md'), 'utf8')
  const examples = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code ?? '')
  expect(examples.length).toBeGreaterThan(7)
  const code = examples
    .filter(example => !example.startsWith('interface'))
    .join('\n')
    .replace(/^import .*$/gm, '')
  const { collections, transact, conflicts, quarantine, core } = openReplica()
  const shown: unknown[] = []
  const scope: Readonly<Record<string, unknown>> = {
    ...resolve,
    collection,
    v,
    replica: { ...collections, transact, conflicts, quarantine },
    render: (rows: unknown) => shown.push(rows),
    bindEditor: () => undefined,
  }
  const body = `return async () => {\n${code}\n}`
  const run = new Function(...Object.keys(scope), body)(...Object.values(scope)) as () => Promise<void>
  const running = run()
  core.store()
  await running
  expect(shown).toMatchObject([[{ title: 'Hello', color: 'teal', tags: ['new', 'copied'], views: 1 }]])
})
