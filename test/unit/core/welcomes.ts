/** What a relay answers a hello with, of which a test names only what it is about. */
import type { GenerationId, StoreId, WelcomeFrame } from '@rejoin/core'

/** From a relay that leads itself, with one generation and an empty feed. */
export function welcomeFrom(
  store: StoreId,
  generation: GenerationId,
  more: Partial<Omit<WelcomeFrame, 'type' | 'store'>> = {},
): WelcomeFrame {
  return {
    type: 'welcome',
    time: 1000,
    store,
    begin: 'new',
    cursor: { generation, cut: 0, place: 0 },
    generations: [{ id: generation, store, parent: null, start: 0 }],
    frontier: new Map(),
    covers: true,
    levels: ['relay'],
    user: 'alice',
    leader: store,
    term: 0,
    ...more,
  }
}
