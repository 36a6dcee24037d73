/**
 * Up to where feeds are on enough disks (SPEC A3): peers and followers say with each of their cuts how much of this feed
 * they have on disk, and which others they know to be on enough, for clients that come from there. What was once on so
 * many disks is told, whoever is there later.
 */
import { addPosition, type GenerationId, type QuorumFrame, type StoreId } from '@rejoin/core'
import { send, type Attached } from './attached.ts'
import type { DrivenSpace } from './driven-space.ts'

/** Peers may have said something new, or some came or went: who waits for it hears it at once. */
export function countQuorum(driven: DrivenSpace): void {
  const { kernel, space, attachedBySession } = driven
  const { follows = false, ackReplicas: replicas = 0 } = kernel.options
  // What a follower has is its leader's to count.
  if (follows || replicas === 0) return
  const { generation, generations } = space
  const held = new Map<StoreId, number>()
  // Of two links of one relay the later one counts: its disk may have been put back in between. Who is told of all relays
  // may have dialled itself, which is no other disk.
  for (const { pull, session } of attachedBySession.values())
    if (pull !== null && session.replica !== space.store)
      held.set(session.replica, pull.held(generations, generation, space.position))
  const position = [...held.values()].sort((a, b) => b - a)[replicas - 1] ?? 0
  if (add(driven, generation, position)) tellWaiting(driven)
}

/** Another relay knows of it. Of a peer's feed it is told with the next heartbeat: those who wait for it are there, but for some that left. */
export function hearQuorum(driven: DrivenSpace, from: Attached, frame: QuorumFrame): void {
  if (from.pull === null) return
  const before = driven.quorum
  if (!add(driven, frame.generation, frame.position)) return
  // It need not be told what it has told.
  if (from.quorum === before) from.quorum = driven.quorum
  if (from === driven.leader) tellWaiting(driven)
}

export function tellQuorum({ quorum }: DrivenSpace, attached: Attached): void {
  const told = attached.quorum
  if (told === quorum || attached.follower !== null) return
  attached.quorum = quorum
  for (const [generation, position] of quorum)
    if (told.get(generation) !== position) send(attached, { type: 'quorum', generation, position })
}

function tellWaiting(driven: DrivenSpace): void {
  for (const attached of driven.attachedBySession.values())
    if (attached.awaitsQuorum) tellQuorum(driven, attached)
}

/** Whether it is new. */
function add(driven: DrivenSpace, generation: GenerationId, position: number): boolean {
  const before = driven.quorum
  driven.quorum = addPosition(driven.space.generations, before, generation, position)
  return driven.quorum !== before
}
