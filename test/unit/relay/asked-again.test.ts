// What a relay asked a peer for is asked for again over the next link (SPEC P4).
import { expect, test } from 'vitest'
import { deltaOf, markOf } from '../core/edits.ts'
import { welcomeFrom } from '../core/welcomes.ts'
import { createDialledRelay, peer, peersChange, peersGeneration, peersRow } from './peer-links.ts'

test('[P4] what is answered over a link before while the next one begins is asked for over that one too, which waits for it', async () => {
  const dial = await createDialledRelay()
  const welcome = welcomeFrom(peer, peersGeneration, { begin: 'resume', user: 'peers' })
  const insert = deltaOf({ kind: 'insert', value: 'red', element: 'x' }, undefined, markOf('bob', 1000))
  const recolor = deltaOf({ kind: 'color', value: 'teal' }, insert, markOf('bob', 2000))
  const old = await dial()
  await old.say(welcome)
  await old.say(peersChange(1, peersRow('a', { delta: recolor, parts: 4 })))
  const next = await dial()
  await old.say({ ...peersChange(1, peersRow('a', { delta: insert })), cut: null, answer: true })
  await next.say(welcome)
  expect(next.said).toContainEqual(old.said.find(frame => frame.type === 'want'))
})
