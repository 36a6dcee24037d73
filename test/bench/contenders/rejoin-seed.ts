/** Fills a space of Rejoin's relay with documents of one field, or with any writes, faster than any client would write them. */
import {
  documentKey,
  encodeValue,
  nothingReplaced,
  noTexts,
  partName,
  writerFromBytes,
  type Write,
} from '@rejoin/core'
import { randomBytes } from 'node:crypto'
import { entryId } from '../records.ts'
import { openBareSession } from './rejoin-session.ts'

const part = partName('lww', 'n')
const writesPerTransaction = 2000

export interface Seeder {
  /** Resolves when documents `from` to `to`, the last not included, are on the relay's disk. */
  seed(from: number, to: number): Promise<void>
  /** Resolves when these are, of which no mark may be of the time to come. */
  write(writes: readonly Write[]): Promise<void>
  end(): void
}

/** Of a space that is empty: what is there already would come here. */
export async function openSeeder(port: number, space: string): Promise<Seeder> {
  const writer = writerFromBytes(randomBytes(8))
  let ms = Date.now()
  let hearVerdict = (): void => {}
  const session = await openBareSession(port, space, frame => {
    if (frame.type !== 'verdict') return
    if (frame.exceptions.length > 0) throw new Error('a write was refused')
    hearVerdict()
  })
  session.send({ type: 'range', ranges: [] })

  /** Its number takes as many bytes for all of two million. */
  function insertOf(index: number, tick: number): Write {
    const mark = { ms, tick, writer }
    const cell = { strategy: 'lww', last: mark, value: encodeValue(1_000_000 + index) } as const
    const delta = { cells: new Map([[part, cell]]), deletion: null, revival: mark }
    const key = documentKey('recs', entryId(index))
    return { key, mark, delta, whole: true, texts: noTexts, replaced: nothingReplaced }
  }

  async function submit(writes: readonly Write[]): Promise<void> {
    const answered = new Promise<void>(resolve => {
      hearVerdict = resolve
    })
    session.send({ type: 'submit', round: 0, transactions: [{ writes, preconditions: [] }] })
    await answered
  }

  return {
    async seed(from, to) {
      for (let next = from; next < to; next += writesPerTransaction) {
        ms += 1
        const count = Math.min(writesPerTransaction, to - next)
        await submit(Array.from({ length: count }, (_, i) => insertOf(next + i, i)))
      }
    },
    async write(writes) {
      for (let next = 0; next < writes.length; next += writesPerTransaction)
        await submit(writes.slice(next, next + writesPerTransaction))
    },
    end: session.end,
  }
}
