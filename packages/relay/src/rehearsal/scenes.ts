/**
 * What is played in a rehearsal: what a relay meets when it was started again. Some come who are new, and some who were
 * there before, with what they wrote meanwhile; all write as fast as it goes. It is as much of each as was found to be
 * worth its time: changes one by one, which wait for the disk, made nothing faster that this does not.
 */
import type { Runtime } from '@rejoin/core'
import { openActor, type Actor } from './actor.ts'
import { createAuthor, fieldCount, type Author } from './author.ts'

const documents = 500
const listeners = 10
const framesEach = 40
const changesPerFrame = 25
const changesOffline = 500
const returns = 3

/** Resolves when all of it was played. */
export async function playScenes(url: string, runtime: Runtime): Promise<void> {
  const alice = await openActor(url, runtime)
  const byAlice = createAuthor(runtime)
  await alice.submit(byAlice.insert(documents))
  const bob = await openActor(url, runtime)
  const audience: Actor[] = []
  for (let i = 0; i < listeners; i++) audience.push(await openActor(url, runtime))
  const byBob = createAuthor(runtime, byAlice.seen)
  for (let i = 0; i < framesEach; i++) {
    const from = i * changesPerFrame
    await Promise.all([
      alice.submit(byAlice.change(4, from, changesPerFrame)),
      bob.submit(byBob.change(3, from, changesPerFrame)),
    ])
  }
  // Of the same documents, so that what was made first is lost.
  const earlier = changeAllFields(byBob, changesOffline)
  await alice.submit(changeAllFields(byAlice, changesOffline))
  await bob.submit(earlier)
  for (let i = 0; i < returns; i++) (await openActor(url, runtime, bob.cursor)).end()
  for (const actor of [alice, bob, ...audience]) actor.end()
}

function changeAllFields(author: Author, count: number): ReturnType<Author['change']> {
  const each = count / fieldCount
  return Array.from({ length: fieldCount }, (_, field) => author.change(field, 0, each)).flat()
}
