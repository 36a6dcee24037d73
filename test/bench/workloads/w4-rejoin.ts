/**
 * W4: two replicas change 10,000 fields each while they are offline, half of them the same, and rejoin at once. Once as
 * a program would in order, field by field; once as people do, in random order over documents and fields.
 */
import { createChance } from '@rejoin/testkit'
import type { Contender, ContenderClient } from '../contenders/contender.ts'
import { rejoinContender } from '../contenders/rejoin-contender.ts'
import type { Figure } from '../figure.ts'
import { rawContender } from '../limits/raw-contender.ts'
import { bytesSince, wireBytes } from '../measure/wire-bytes.ts'
import { sleep, turn, until } from '../measure/waiting.ts'
import { entries, entryFields, entryId, type EntryField } from '../records.ts'
import { compare, figuresOf, type Aim, type Readings, type Workload } from './workload.ts'

const documents = 3000
const own = 2000

const aims: readonly Aim[] = [
  { figure: 'until equal', unit: 'ms', target: { ratioMax: 2 } },
  { figure: 'bytes', unit: 'bytes', target: { max: 100_000 } },
]
const randomAims: readonly Aim[] = [
  { figure: 'until equal', unit: 'ms', target: { ratioMax: 2 } },
  { figure: 'bytes', unit: 'bytes', target: { max: 350_000 } },
]

export const rejoining: Workload = {
  name: 'W4',
  about: 'two replicas, 10,000 offline field changes each, rejoin',
  async run(rounds, extent) {
    const changes = extent === 'full' ? 10_000 : 2000
    const contenders = { rejoin: rejoinContender, limit: rawContender }
    const figures: Figure[] = []
    const ordered = await compare(contenders, rounds, contender => measure(contender, inOrder(changes)))
    figures.push(...figuresOf('W4', aims, ordered))
    const random = await compare(contenders, rounds, contender => measure(contender, atRandom(changes)))
    figures.push(...figuresOf('W4 random', randomAims, random))
    return figures
  },
}

/** Which document of one's own, and which of its fields. */
type Edits = readonly (readonly [document: number, field: number])[]

function inOrder(changes: number): Edits {
  const each = changes / entryFields.length
  return Array.from({ length: changes }, (_, i) => [i % each, Math.floor(i / each)] as const)
}

function atRandom(changes: number): Edits {
  const chance = createChance(4)
  const edits = [...inOrder(changes)]
  for (let i = edits.length - 1; i > 0; i--) {
    const j = chance.below(i + 1)
    const [one, other] = [edits[i], edits[j]]
    if (one !== undefined && other !== undefined) [edits[i], edits[j]] = [other, one]
  }
  return edits
}

async function measure(contender: Contender, edits: Edits): Promise<Readings> {
  const server = await contender.start()
  const a = await contender.connect(server, 'w4')
  a.bulk(entries(documents))
  await sleep(700)
  const b = await contender.connect(server, 'w4')
  await until(() => b.count() === documents, 'the second client has all')
  await sleep(500)
  await a.offline()
  await b.offline()
  await sleep(100)
  await edit(a, edits, 'A', 0)
  await edit(b, edits, 'B', documents - own)
  await sleep(500)

  const bytesFrom = wireBytes()
  const start = performance.now()
  void a.online()
  void b.online()
  // What each wrote last of a document that the other one did not touch: A's first, and B's last.
  const lastDocument = edits.length / entryFields.length - 1
  const [aWrote, bWrote] = [lastOf(edits, 0), lastOf(edits, lastDocument)]
  await until(
    () =>
      a.get(entryId(documents - own + lastDocument), bWrote.field) ===
        valueOf(bWrote.field, 'B', bWrote.at) &&
      b.get(entryId(0), aWrote.field) === valueOf(aWrote.field, 'A', aWrote.at) &&
      a.snapshot() === b.snapshot(),
    'both are equal',
  )
  const ms = performance.now() - start
  await sleep(300)
  const bytes = bytesSince(bytesFrom)
  await a.close()
  await b.close()
  await server.stop()
  return { 'until equal': ms, bytes }
}

/** The last edit of one of one's own documents, and its place among all. */
function lastOf(edits: Edits, document: number): { readonly at: number; readonly field: EntryField } {
  const at = edits.findLastIndex(([of]) => of === document)
  return { at, field: entryFields[edits[at]?.[1] ?? 0] ?? 'n' }
}

async function edit(client: ContenderClient, edits: Edits, tag: string, first: number): Promise<void> {
  for (const [i, [document, field]] of edits.entries()) {
    const name = entryFields[field] ?? 'n'
    client.set(entryId(first + document), name, valueOf(name, tag, i))
    if (i % 100 === 99) await turn()
  }
}

function valueOf(field: string, tag: string, i: number): string | number {
  return field === 'n' ? i + (tag === 'A' ? 5e6 : 6e6) : `${tag}${i}`
}
