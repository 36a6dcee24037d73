/**
 * Code of a large application: thirty collections of twenty fields, with every strategy and validators of two libraries
 * by turns, and files that use them.
 */
import type { PackedProject } from './packed-project.ts'

/** Their declarations, and the type of a replica that has them. */
export function writeCollections(project: PackedProject): void {
  const fields = Array.from({ length: fieldCount }, (_, i) => `  f${i}: ${fieldAt(i).declaration},`)
  const declarations = collectionNames.map(
    name => `export const ${name} = collection('${name}', {\n${fields.join('\n')}\n})`,
  )
  project.write(
    'collections.ts',
    `import { collection, type Replica } from '@rejoin/client'
import { ask, counter, lww, merge, set, text } from '@rejoin/resolve'
import * as v from 'valibot'
import { z } from 'zod'

${declarations.join('\n')}

export const collections = { ${collectionNames.join(', ')} }
export type App = Replica<typeof collections>
`,
  )
}

/** A file that inserts, updates, queries and settles conflicts; or the same without the bodies of its functions. */
export function writeUse(project: PackedProject, index: number, hasBody: boolean): void {
  const name = collectionNames[index % collectionNames.length] ?? ''
  const inputs = allFields.map((field, i) => `f${i}: ${field.input}`).join(', ')
  const types = allFields
    .flatMap(({ type }, i) => (type === '' ? [] : [`readonly f${i}: ${type}`]))
    .join('; ')
  const body = `
  const made = replica.${name}.insert({ ${inputs} })
  replica.${name}.update(made.id, { f0: 'b', f1: 'c', f4: { increment: 1 }, f3: { add: ['d'] }, f6: 'red' })
  replica.${name}.query({ where: { f1: 'c', f8: { gt: 1 }, f3: { contains: 'd' } }, orderBy: [['f1', 'desc']] })
    .subscribe(rows => rows.map(row => row.f0.toUpperCase() + row.f8.toFixed(1)))
  const row: Exact<NonNullable<ReturnType<App['${name}']['get']>>, { readonly id: string; ${types} }> = true
  for (const conflict of replica.conflicts.get()) {
    if (conflict.collection !== '${name}' || conflict.kind !== 'field') continue
    if (conflict.field === 'f0') replica.conflicts.resolve(conflict, { value: conflict.sides[0]?.value ?? 'e' })
    if (conflict.field === 'f7') replica.conflicts.resolve(conflict, { value: { a: 1 } })
  }
  replica.transact(tx => {
    tx.${name}.delete(made.id)
    return row
  })
`
  project.write(
    `use-${index}.ts`,
    `import type { App } from './collections.js'

type Exact<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never

export function use${index}(replica: App): void {${hasBody ? body : ''}}
`,
  )
}

const fieldCount = 20
const collectionNames = Array.from({ length: 30 }, (_, i) => `c${i}`)

interface SampleField {
  readonly declaration: string
  /** What an insert gives it. */
  readonly input: string
  /** What readers see; nothing of a text. */
  readonly type: string
}

function fieldAt(index: number): SampleField {
  const [string, number] = index % 2 === 0 ? ['z.string()', 'z.number()'] : ['v.string()', 'v.number()']
  const samples: readonly SampleField[] = [
    { declaration: `ask(${string})`, input: `'a'`, type: 'string' },
    { declaration: `lww(${string})`, input: `'a'`, type: 'string' },
    { declaration: 'text()', input: `'a'`, type: '' },
    { declaration: `set(${string})`, input: `['a']`, type: 'readonly string[]' },
    { declaration: 'counter()', input: '1', type: 'number' },
    {
      declaration: `merge(${number}, (_base, sides) => Math.max(...sides))`,
      input: '1',
      type: 'number',
    },
    {
      declaration: `lww(z.enum(['red', 'green', 'blue']))`,
      input: `'red'`,
      type: `'red' | 'green' | 'blue'`,
    },
    {
      declaration: `ask(v.object({ a: v.number(), b: v.optional(v.string()) }))`,
      input: '{ a: 1 }',
      type: '{ a: number; b?: string | undefined }',
    },
    { declaration: `lww(v.optional(v.number(), 2))`, input: '3', type: 'number' },
    {
      declaration: `lww(z.object({ x: z.number(), labels: z.array(z.string()) }).optional())`,
      input: `{ x: 1, labels: ['a'] }`,
      type: '{ x: number; labels: string[] } | undefined',
    },
  ]
  const sample = samples[index % samples.length]
  if (sample === undefined) throw new Error('there are ten samples')
  return sample
}

const allFields = Array.from({ length: fieldCount }, (_, i) => fieldAt(i))
