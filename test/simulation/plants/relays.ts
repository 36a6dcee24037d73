/** Plants in what relays promise: what is on disk, on how many, and what followers pass on. */
import type { Plant } from './plant.ts'
import { one, type Place } from './worlds.ts'

const followers: Place = { relays: 3, links: 'followers', ackReplicas: 1 }

export const relays: readonly Plant[] = [
  {
    name: 'A1',
    does: 'a relay answers before its commit is on disk',
    find: 'if (draft !== null) growth = await commit(driven, draft, reads)\n    deliveries = space.committed(driven.attachedBySession)',
    replace:
      'deliver(driven, space.committed(driven.attachedBySession))\n      if (draft !== null) growth = await commit(driven, draft, reads)',
    world: one(40, { 'relay-crash': 0.3, 'relay-restart': 0.1 }),
    seed: 5,
  },
  {
    name: 'A1 full',
    does: 'whose write met a full disk of a relay is told nothing, and the next verdict counts it in',
    find: 'for (const attached of bringers) refuseOverloaded(driven, attached)',
    replace: '',
    world: one(40, { 'relay-full': 0.2 }),
    seed: 1,
  },
  {
    name: 'A3',
    does: 'what is on the leader alone is told to be at quorum',
    find: 'const position = [...held.values()].sort((a, b) => b - a)[replicas - 1] ?? 0',
    replace: 'const position = space.position',
    world: { ...followers, steps: 40, faults: { cut: 0.3 } },
    seed: 1,
  },
  {
    name: 'A3 peers',
    does: 'of a peer that knows more of a quorum a relay tells nobody',
    find: 'if (from.pull === null) return',
    replace: 'if (from !== driven.leader) return',
    world: { relays: 2, ackReplicas: 1, steps: 50, faults: { forgetting: 0.1, cut: 0.2, slow: 0.3 } },
    seed: 1,
  },
  {
    name: 'L2 restored',
    does: 'a restored relay is not offered again what it had acknowledged and lost',
    find: 'if (lineageRevision !== state.lineageRevision) {',
    replace: 'if (lineageRevision < 0) {',
    world: { relays: 3, links: 'mesh', write: 2, steps: 70, faults: { 'relay-rollback': 0.15, cut: 0.15 } },
    seed: 1,
  },
  {
    name: 'A3 told',
    does: 'of a quorum that moves on, who waits for it is not told',
    find: '    countQuorum(driven)\n',
    replace: '',
    world: { ...followers, steps: 40, faults: { cut: 0.1 } },
    seed: 1,
  },
  {
    name: 'Q2',
    does: 'a follower that has its leader back does not ask again for what it dropped',
    find: 'for (const attached of [...attachedOf(passed), ...waiting]) sendAway(attached, retryMs)',
    replace: '',
    world: { ...followers, steps: 50, faults: { cut: 0.3, 'relay-restart': 0.1 } },
    seed: 2,
  },
]
