// What a peer's feed brings is checked, and what is refused of it is not passed over (SPEC T3, P1).
import { expect, test } from 'vitest'
import { body, deltaOf, markOf } from '../core/edits.ts'
import { welcomeFrom } from '../core/welcomes.ts'
import { createDialledRelay, peer, peersChange, peersGeneration, peersRow } from './peer-links.ts'

const mark = markOf('bob', 1000)

test('[P1, T3] what follows in the turn in which a frame of a feed is refused does not move the pull over it', async () => {
  const dial = await createDialledRelay()
  const { say, said } = await dial()
  await say(welcomeFrom(peer, peersGeneration, { begin: 'resume', user: 'peers' }))
  const broken = { kind: 'tail', updates: [Uint8Array.of(9, 9, 9)] } as const
  const typed = deltaOf({ kind: 'type' }, undefined, mark)
  const insert = deltaOf({ kind: 'insert', value: 'red', element: 'x' }, undefined, mark)
  await say(
    peersChange(1, peersRow('a', { delta: typed, texts: new Map([[body, broken]]) })),
    peersChange(2, peersRow('b', { delta: insert })),
  )
  expect(said.at(-1)).toMatchObject({ type: 'refuse', error: { code: 'text-invalid' } })
  const again = (await dial()).said.find(frame => frame.type === 'hello')
  const known = again?.cursors.filter(({ generation, cut }) => generation === peersGeneration && cut > 0)
  expect(known).toEqual([])
})
