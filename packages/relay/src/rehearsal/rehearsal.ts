/**
 * A rehearsal: before its clients come, a relay of its own is played for half a second, through all that ships: sockets,
 * kernel and SQLite. An engine interprets what it has not run often, which takes twice the CPU, and a relay that was just
 * started is met by everybody at once. The stage is a temporary folder and a port of the loopback address, and nothing of
 * it stays but compiled code.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Log } from '../kernel-port.ts'
import { noLog } from '../logger.ts'
import { nodeRuntime } from '../node-runtime.ts'
import { createRelay } from '../relay.ts'
import { sqlite } from '../sqlite/store.ts'
import { within } from '../within.ts'
import { playScenes } from './scenes.ts'

/** On a machine that is busy or slow it is cut off: clients wait. */
const playMs = 1000
const stopMs = 100

/**
 * Runs what a relay runs, so that it is compiled when clients come: for who calls `listen` in a program of theirs, before
 * that. Takes half a second, and little more than one at most. Never rejects: without it a relay is slower for a while.
 */
export async function rehearse(log: Log = noLog): Promise<void> {
  const { monotonic } = nodeRuntime
  const begun = monotonic()
  try {
    const isWhole = await onStage(play)
    log.info({ ms: Math.round(monotonic() - begun), whole: isWhole }, 'rehearsed')
  } catch (error) {
    log.error({ error: String(error) }, 'the rehearsal failed; the relay starts all the same')
  }
}

/** Whether there was time for all of it. */
async function play(folder: string): Promise<boolean> {
  const store = sqlite(join(folder, 'rejoin.db'))
  await using relay = createRelay({ store, development: true, limits: { stopMs } })
  const { url } = await relay.listen({ port: 0 })
  let isWhole = false
  await within(nodeRuntime, playMs, async () => {
    await playScenes(url, nodeRuntime)
    isWhole = true
  })
  return isWhole
}

/** In a folder that is gone afterwards, also where the process is ended meanwhile. */
async function onStage<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'rejoin-rehearsal-'))
  const clear = (): void => rmSync(folder, { recursive: true, force: true })
  process.once('exit', clear)
  try {
    return await run(folder)
  } finally {
    process.off('exit', clear)
    clear()
  }
}
