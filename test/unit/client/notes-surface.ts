/** A replica of notes with every strategy, over a double, and the words in which tests speak of it. */
import { collection, createSurface, type ReplicaCore } from '@rejoin/client'
import type { DeletePolicy } from '@rejoin/core'
import { ask, counter, lww, set, text } from '@rejoin/resolve'
import * as v from 'valibot'
import { createReplicaCoreDouble, type ReplicaCoreDouble } from './replica-core-double.ts'

const bodyField = text()

function declareNotes(onDelete: DeletePolicy) {
  return collection(
    'notes',
    {
      title: ask(v.string()),
      color: lww(v.optional(v.string())),
      tags: set(v.string()),
      views: counter({ passive: true }),
      body: bodyField,
    },
    { onDelete },
  )
}

export type Notes = ReturnType<typeof declareNotes>

function declareTasks() {
  return collection('tasks', { done: lww(v.boolean()), rank: lww(v.number()) })
}

export interface Replica extends ReturnType<typeof openSurface> {
  readonly core: ReplicaCoreDouble
}

/** The collections over any core. */
export function openSurface(core: ReplicaCore, onDelete: DeletePolicy) {
  return createSurface(core, { notes: declareNotes(onDelete), tasks: declareTasks() })
}

export function openReplica(onDelete: DeletePolicy = 'edit-wins'): Replica {
  const core = createReplicaCoreDouble(bodyField.text)
  return { ...openSurface(core, onDelete), core }
}

/** Each gets what the other wrote, and is told. */
export function exchange(alice: Replica, bob: Replica): void {
  alice.core.pullFrom(bob.core)
  bob.core.pullFrom(alice.core)
  for (const { core } of [alice, bob]) {
    core.acknowledge()
    core.tick()
  }
}
