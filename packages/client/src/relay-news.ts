/**
 * What relays tell of a replica beside its rows: whose token it is, which levels are to be had (SPEC Q4), and what is at
 * quorum (SPEC A3). The tab that has the connection hears it of them, the others of that tab.
 */
import { joinPositions, noPositions, type Level, type Positions } from '@rejoin/core'
import type { Connection } from './connection.ts'
import type { Engine } from './engine.ts'
import type { Quorum } from './quorum.ts'

export interface RelayNews {
  /** Who the token stands for; undefined until a relay said so. */
  user(): string | undefined
  /** What relays give; undefined until one said so. */
  levels(): readonly Level[] | undefined
  quorum(): Positions
  /** Of what was said at their beginning. */
  learnFrom(connections: readonly Pick<Connection, 'session'>[]): void
  learn(told: {
    readonly user: string | undefined
    readonly levels: readonly Level[] | undefined
    readonly quorum: Positions
  }): void
  learnQuorum(told: Positions): void
}

export interface RelayNewsOptions {
  readonly engine: Pick<Engine, 'state' | 'atQuorum' | 'heedLevels'>
  readonly relays: readonly string[]
  /** Null: one relay at a time. */
  readonly quorum: Quorum | null
}

export function createRelayNews({ engine, relays, quorum }: RelayNewsOptions): RelayNews {
  let user: string | undefined
  let levels: readonly Level[] | undefined = quorum === null ? undefined : ['relay', 'quorum']
  let atQuorum = noPositions

  /** Q4: who may only read at some relays has no level there; those that have not answered may give one. */
  function levelsGiven(known: readonly { readonly levels: readonly Level[] }[]): readonly Level[] {
    const giving = relays.length - known.filter(relay => relay.levels.length === 0).length
    if (giving === 0) return []
    return giving < (quorum?.write ?? 1) ? ['relay'] : ['relay', 'quorum']
  }

  function learnLevels(told: readonly Level[]): void {
    if (told === levels || told.join() === levels?.join()) return
    levels = told
    engine.heedLevels()
  }

  function learnQuorum(told: Positions): void {
    atQuorum = joinPositions(engine.state.generations, atQuorum, told)
    engine.atQuorum(told)
  }

  return {
    user: () => user,
    levels: () => levels,
    quorum: () => atQuorum,
    learnFrom(connections) {
      // Asked at each frame: of one relay at a time there is one connection, and no list is made of it.
      const known = quorum === null ? null : connections.flatMap(({ session }) => session()?.relay ?? [])
      const relay = known === null ? connections[0]?.session()?.relay : known[0]
      if (!relay) return
      user = relay.user
      learnLevels(known === null ? relay.levels : levelsGiven(known))
    },
    learn(told) {
      user = told.user
      if (told.levels !== undefined) learnLevels(told.levels)
      learnQuorum(told.quorum)
    },
    learnQuorum,
  }
}
