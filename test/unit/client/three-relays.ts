/** A replica that speaks with three relays at once, which are peers or not. */
import { type OpenOptions } from '@rejoin/client'
import { type Write } from '@rejoin/core'
import { createChance, createSimulatedRelay, type SimulatedRelay } from '@rejoin/testkit'
import { createWorld, epoch, type Notes, type World } from './engine-world.ts'

export const urls = ['ws://a', 'ws://b', 'ws://c'] as const

export interface Three {
  readonly world: World
  readonly relays: readonly [SimulatedRelay, SimulatedRelay, SimulatedRelay]
  open(options?: Partial<OpenOptions<never>>): Promise<Notes>
}

/** Three relays that know nothing of each other; a rule for each. */
export async function three(
  accept: (url: string, write: Write) => true | string = () => true,
): Promise<Three> {
  const world = createWorld()
  const relays = urls.map((url, i) =>
    createSimulatedRelay({
      url,
      clock: world.clock,
      chance: createChance(i + 7),
      network: world.network,
      epoch: () => epoch,
      accept: write => accept(url, write),
      peerToken: '',
    }),
  ) as unknown as Three['relays']
  for (const relay of relays) await relay.start()
  return {
    world,
    relays,
    open: options =>
      world.open(world.device.openTab(), {
        relays: urls,
        mode: 'quorum',
        write: 2,
        read: 2,
        ...(options as object),
      }),
  }
}

export function note(replica: Notes, title = 'a', id?: string) {
  return replica.notes.insert({ title, color: 'amber' }, id === undefined ? {} : { id })
}

export async function holds(relay: SimulatedRelay, id: string): Promise<boolean> {
  const key = `notes/${id}` as never
  return (await relay.store.rows('space', [key])).has(key)
}
