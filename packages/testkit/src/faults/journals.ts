/** Journals that grow: by large values until pages are written, by many small ones until they are folded. */
import { databaseOf, type OpenTab } from '../cluster.ts'
import type { FaultWorld, Strike } from './fault.ts'

/** Five of them are more than a journal holds until pages are written. */
const value = 'x'.repeat(215_000)
/** More small chunks than a journal holds until they are folded. */
const chunksMax = 520

export function journals(world: FaultWorld): Record<'long-journal', Strike> {
  const { cluster, pickTab, say } = world
  return {
    async 'long-journal'() {
      const open = pickTab()
      if (open === null) return false
      say(`a tab of ${open.device.name} writes as often as it can`)
      const { ballast } = open.replica
      return untilItFails(async () => {
        if (ballast.get('ticks') === undefined) ballast.insert({ value: '' }, { id: 'ticks' })
        for (let i = 0; i < chunksMax && chunksOf(open) < chunksMax; i++) {
          ballast.update('ticks', { value: `${i}` })
          await cluster.clock.advance(4)
        }
        await cluster.clock.advance(8000)
      })
    },
  }
}

function chunksOf({ device, space }: OpenTab): number {
  return device.disk.image().get(databaseOf(space))?.stores.get('journal')?.keys.length ?? 0
}

/** So long that pages are written, without which no tombstone is forgotten. Two large documents are enough to carry on. */
export function fillJournal({ cluster }: FaultWorld, open: OpenTab): Promise<boolean> {
  const { ballast } = open.replica
  return untilItFails(async () => {
    for (let i = 0; i < 5; i++) {
      const id = `heavy-${i % 2}`
      if (ballast.get(id) === undefined) ballast.insert({ value: `${i}${value}` }, { id })
      else ballast.update(id, { value: `${i}${value}` })
      await cluster.clock.advance(500)
    }
    await cluster.clock.advance(20_000)
  })
}

/** A tab whose store is gone takes nothing. */
async function untilItFails(run: () => Promise<void>): Promise<boolean> {
  try {
    await run()
    return true
  } catch {
    return false
  }
}
