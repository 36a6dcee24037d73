// When a client asks for the feed: not where the relay sends it behind the welcome.
import {
  createClientSession,
  createReplicaState,
  type GenerationId,
  type StoreId,
  type WelcomeFrame,
} from '@rejoin/core'
import { expect, test } from 'vitest'
import { sessionOptions } from './session-options.ts'
import { welcomeFrom } from './welcomes.ts'

test('[S1] who has nothing to reconcile does not ask for the feed', () => {
  expect(sentAfter({ covers: true })).toEqual([])
})

test('[S3, Q4] who has nothing to give to a relay that knows less, or may not, asks for the feed at once', () => {
  expect(sentAfter({ covers: false })).toEqual(['range'])
  expect(sentAfter({ covers: false, levels: [] })).toEqual(['range'])
})

/** What a replica that holds nothing sends once it is welcomed so. */
function sentAfter(more: Partial<WelcomeFrame>): readonly string[] {
  const session = createClientSession(createReplicaState(), sessionOptions, () => 1000)
  session.begin()
  const welcome = welcomeFrom('relay' as StoreId, 'generation' as GenerationId, more)
  return session.receive(welcome, 10).flatMap(effect => (effect.kind === 'send' ? [effect.frame.type] : []))
}
