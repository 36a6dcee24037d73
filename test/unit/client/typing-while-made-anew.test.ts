// What is typed while writes are made anew builds on what is gone by the time it is on the disk. It stands all the same,
// where it was typed, once, unless a relay refused that very write.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as Y from 'yjs'
import { text } from '@rejoin/resolve'
import { settle } from './replica-core-double.ts'
import { createTypingTabs, type TypingTabs } from './typing-tabs.ts'

type Step = {
  readonly kind:
    | 'type'
    | 'embed'
    | 'erase'
    | 'flush'
    | 'store'
    | 'read'
    | 'tick'
    | 'take'
    | 'refuse'
    | 'skew'
    | 'hold'
    | 'release'
    | 'reload'
  readonly who: 0 | 1
  readonly at: number
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant('type' as const) },
    {
      weight: 3,
      arbitrary: fc.constantFrom('flush' as const, 'store' as const, 'read' as const, 'tick' as const),
    },
    { weight: 2, arbitrary: fc.constantFrom('take' as const, 'skew' as const, 'refuse' as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'embed' as const,
        'erase' as const,
        'hold' as const,
        'release' as const,
        'reload' as const,
      ),
    },
  ),
  who: fc.constantFrom(0 as const, 1 as const),
  at: fc.nat({ max: 40 }),
})

async function come(world: TypingTabs): Promise<void> {
  for (let round = 0; round < 200; round++) {
    for (const tab of world.tabs) {
      await settle()
      tab.store(Infinity)
      tab.read(Infinity)
      tab.tick()
      await settle()
    }
    if (world.isAtRest) return
    world.submit('take', false)
  }
  throw new Error('it does not come to rest')
}

async function play(steps: readonly Step[], withRefusals: boolean): Promise<string> {
  const world = createTypingTabs()
  const { tabs } = world
  for (const tab of tabs) await tab.open()
  await come(world)
  const releases: (() => void)[] = []
  let typed = ''
  for (const { kind, who, at } of steps) {
    const tab = tabs[who]
    switch (kind) {
      case 'type':
      case 'embed': {
        const letter = String.fromCodePoint(0x4e00 + typed.length)
        typed += letter
        const place = Math.min(at, tab.text.length)
        if (kind === 'embed') tab.text.insertEmbed(place, { letter })
        else if (at % 5 === 0) tab.text.insert(place, letter, { bold: true })
        else tab.text.insert(place, letter)
        break
      }
      case 'erase': {
        const found = tab.text.toString().search(/[Helo]/)
        if (found >= 0 && tab.text.length === tab.text.toString().length) tab.text.delete(found, 1)
        break
      }
      case 'flush':
        await settle()
        break
      case 'store':
        tab.store(1 + (at % 3))
        break
      case 'read':
        tab.read(1 + (at % 3))
        break
      case 'tick':
        tab.tick()
        break
      case 'take':
      case 'refuse':
      case 'skew':
        world.submit(kind === 'refuse' && !withRefusals ? 'skew' : kind, at % 2 === 0)
        break
      case 'hold':
        releases.push(tab.hold())
        break
      case 'release':
        for (const release of releases.splice(0)) release()
        break
      case 'reload':
        for (const release of releases.splice(0)) release()
        await tab.reload()
        break
    }
  }
  for (const release of releases) release()
  await come(world)
  const screens = tabs.map(tab => JSON.stringify(tab.text.toDelta()))
  const document = new Y.Doc()
  for (const update of world.published) Y.applyUpdate(document, update)
  expect(document.store.pendingStructs).toBeNull()
  const shown = text().text.open(world.published, 1).text.toDelta()
  expect(screens).toEqual([JSON.stringify(shown), JSON.stringify(shown)])
  for (const { state } of tabs) {
    const lost = [...state.quarantine].filter(([id]) => !world.refused.has(id))
    expect(lost.flatMap(([, { transaction }]) => lettersOf(transaction.writes.flatMap(textsOf)))).toEqual([])
  }
  const gone = [...tabs[0].state.quarantine.values()].flatMap(({ transaction }) =>
    lettersOf(transaction.writes.flatMap(textsOf)),
  )
  const standing = [...JSON.stringify(shown)].filter(letter => letter >= '\u4e00')
  expect(standing.sort().join('')).toBe([...typed].filter(letter => !gone.includes(letter)).join(''))
  return JSON.stringify(shown)
}

function textsOf({ texts }: { readonly texts: ReadonlyMap<string, readonly Uint8Array[]> }) {
  return [...texts.values()].flat()
}

function lettersOf(updates: readonly Uint8Array[]): readonly string[] {
  return updates.flatMap(update =>
    Y.decodeUpdate(update).structs.flatMap(struct => {
      if (!(struct instanceof Y.Item)) return []
      const { content } = struct
      if (content instanceof Y.ContentString) return [...content.str]
      return content instanceof Y.ContentEmbed ? [(content.embed as { letter: string }).letter] : []
    }),
  )
}

test('[W6] whatever is typed while writes are made anew stands once, and nothing of it is quarantined', {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async steps => {
      await play(steps, false)
    }),
    { numRuns: 200 },
  )
})

test('[X9] whatever is typed while others are refused stands once, but for what was refused itself', {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async steps => {
      await play(steps, true)
    }),
    { numRuns: 200 },
  )
})
