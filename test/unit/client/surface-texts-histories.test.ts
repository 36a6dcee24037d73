// Texts under any history: what is on the screens is what the relay's body gives, everywhere, and nothing that nobody
// refused is lost.
import { yjsClientOf, type Failure, type Transaction } from '@rejoin/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { exchange, openReplica, type Replica } from './notes-surface.ts'
import { settle } from './replica-core-double.ts'

const refusal: Failure = { code: 'refused-by-rule', details: { reason: 'no' } }

type Step = {
  readonly who: 0 | 1
  readonly kind:
    | 'type'
    | 'erase'
    | 'refuse'
    | 'tick'
    | 'exchange'
    | 'reopen'
    | 'settle'
    | 'renew'
    | 'hold'
    | 'release'
    | 'skip'
  readonly at: number
}

const step: fc.Arbitrary<Step> = fc.record({
  who: fc.constantFrom(0 as const, 1 as const),
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('type' as const) },
    { weight: 3, arbitrary: fc.constantFrom('erase' as const, 'settle' as const, 'tick' as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'refuse' as const,
        'exchange' as const,
        'reopen' as const,
        'renew' as const,
        'skip' as const,
        'hold' as const,
        'release' as const,
      ),
    },
  ),
  at: fc.nat({ max: 40 }),
})

async function open(replica: Replica) {
  const handle = replica.collections.notes.text('n', 'body')
  await handle.whenReady
  return handle
}

interface TypedStruct {
  readonly client: number
  readonly content: string
}

/** What the text updates of a transaction hold, and under which writers they travel. */
function structsOf({ writes }: Transaction): readonly (TypedStruct & { readonly owner: number })[] {
  return writes.flatMap(({ mark, texts }) =>
    [...texts.values()].flat().flatMap(update =>
      Y.decodeUpdate(update).structs.map(struct => ({
        client: struct.id.client,
        content:
          struct instanceof Y.Item && struct.content instanceof Y.ContentString ? struct.content.str : '',
        owner: yjsClientOf(mark.writer),
      })),
    ),
  )
}

async function run(steps: readonly Step[], withRefusals: boolean): Promise<void> {
  const replicas = [openReplica(), openReplica()] as const
  const [alice, bob] = replicas
  alice.collections.notes.insert({ title: 'a', body: 'Hello' }, { id: 'n' })
  exchange(alice, bob)
  const handles = [await open(alice), await open(bob)]
  const releases: (() => void)[] = []
  let typed = ''
  for (const { who, kind, at } of steps) {
    const replica = replicas[who]
    const handle = handles[who]
    if (handle === undefined) return
    const { core } = replica
    switch (kind) {
      case 'type': {
        const letter = String.fromCodePoint(0x4e00 + typed.length)
        typed += letter
        handle.text.insert(Math.min(at, handle.text.length), letter)
        break
      }
      case 'erase':
        // Only what the insert began with, so that every letter that was typed must be there in the end.
        if (handle.text.toString().startsWith('Hello')) handle.text.delete(4, 1)
        break
      case 'refuse': {
        await settle()
        const first = [...core.state.outbox.entries()].find(({ acks }) => acks.size === 0)
        if (withRefusals && first !== undefined) core.refuse(first.transaction.id, refusal)
        core.tick()
        break
      }
      case 'tick':
        core.tick()
        break
      case 'exchange':
        await settle()
        exchange(alice, bob)
        break
      case 'reopen': {
        for (const release of releases.splice(0)) release()
        handle.close()
        handles[who] = await open(replica)
        break
      }
      case 'renew':
        if ([...core.state.outbox.entries()].every(({ acks }) => acks.size > 0)) core.renewWriter()
        break
      case 'skip':
        await settle()
        core.skipFrom(replicas[who === 0 ? 1 : 0].core)
        core.tick()
        break
      case 'hold':
        releases.push(core.holdBodies())
        break
      case 'release':
        for (const release of releases.splice(0)) release()
        break
      case 'settle':
        await settle()
        break
    }
  }
  for (const release of releases) release()
  for (let round = 0; round < 3; round++) {
    for (const { core } of replicas) core.tick()
    await settle()
    exchange(alice, bob)
    await settle()
  }
  const screens = handles.map(handle => handle.text.toString())
  for (const handle of handles) handle.close()
  await settle()
  for (const replica of replicas) {
    const fresh = await open(replica)
    screens.push(fresh.text.toString())
    fresh.close()
  }
  expect(new Set(screens).size, screens.join(' | ')).toBe(1)
  const shown = screens[0] ?? ''
  const letters = [...shown].filter(letter => letter >= '\u4e00')
  expect(new Set(letters).size).toBe(letters.length)
  const refused = replicas
    .flatMap(({ core }) =>
      [...core.state.quarantine.values()].flatMap(({ transaction }) => structsOf(transaction)),
    )
    .map(({ content }) => content)
    .join('')
  expect([...letters].sort().join('')).toBe([...typed].filter(letter => !refused.includes(letter)).join(''))
  for (const { core } of replicas) {
    for (const { client, owner } of core.published.flatMap(structsOf)) expect(client).toBe(owner)
  }
}

test('[X7] screens, bodies and both replicas agree, and every letter stands once, whatever was renewed or reopened', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), steps => run(steps, false)),
    { numRuns: 200 },
  )
})

test('[X9] screens, bodies and both replicas agree after refusals, and only what was refused is gone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), steps => run(steps, true)),
    { numRuns: 200 },
  )
})
