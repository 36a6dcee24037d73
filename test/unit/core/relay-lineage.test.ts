// What sessions are told of the lineages of other relays.
import { lineageOf, type Generation, type GenerationId, type StoreId } from '@rejoin/core'
import { expect, test } from 'vitest'
import { createRelayScene } from './relay-scene.ts'

const store = 'a peer' as StoreId
const id = (opening: number): GenerationId => `opening ${opening}` as GenerationId

function opening(number: number): Generation {
  return { id: id(number), store, parent: number === 0 ? null : id(number - 1), start: number }
}

test('[P3] a cut says the lineage of what is new in the frontier, as far back as what was told before, and once', () => {
  const relay = createRelayScene()
  const peer = relay.attach('peer')
  relay.hearOf(peer, [opening(0)], 5)
  const bob = relay.attach('client')
  bob.live = true
  const told = new Map([[id(0), opening(0)]])
  const hear = (...told: Parameters<typeof relay.hearOf>): readonly Generation[] =>
    relay.hearOf(...told).flatMap(({ sessions, frame }) => {
      return sessions.includes(bob) && frame.type === 'changes' ? (frame.cut?.generations ?? []) : []
    })

  const since = Array.from({ length: 9 }, (_, i) => opening(i + 1))
  for (const fact of hear(peer, since, 20)) told.set(fact.id, fact)
  expect(lineageOf(told, id(9)).at(-1)).toEqual(opening(0))
  expect(told.size).toBe(10)
  expect(hear(peer, since, 21)).toEqual([])
})

test('[S1] who heard of a generation by a verdict alone is told from what that descends', () => {
  const relay = createRelayScene()
  const peer = relay.attach('peer')
  relay.hearOf(peer, [opening(0), opening(1), opening(2)], 20)
  const { generations } = relay.welcome({ frontier: new Map([[id(0), 5]]), reach: new Map([[id(2), 20]]) })
  const told = new Map(generations.map(fact => [fact.id, fact]))
  expect(lineageOf(told, id(2)).map(fact => fact.id)).toEqual([id(2), id(1), id(0)])
})
