/**
 * A neighbour: a client on a connection of its own that writes one document after the other, each when the last is
 * acknowledged, whatever happens elsewhere on the relay.
 */
import { openRawClient, type RawClient } from './raw-client.ts'
import { createRawWriter, type RawWriter } from './raw-writer.ts'
import { until } from './until.ts'

export interface Neighbour {
  readonly client: RawClient
  readonly writer: RawWriter
  /** Documents that the relay has acknowledged. */
  readonly acknowledged: number
  /** Stops after the write that is under way. */
  pause(): Promise<void>
  resume(): void
  close(): Promise<void>
}

/** Writes into this collection of the space `team`, as the user `nora`. */
export async function openNeighbour(url: string, collection: string): Promise<Neighbour> {
  const client = await openRawClient(url)
  await client.greet({ token: 'nora', device: 'nora’s laptop' })
  const writer = createRawWriter(collection)
  let acknowledged = 0
  let paused = true
  let writing = false
  let fault: unknown = null

  async function write(): Promise<void> {
    writing = true
    try {
      while (!paused) {
        const [refused] = await client.submit([[writer.insert(`page-${acknowledged}`)]])
        if (refused !== null) throw new Error(`the neighbour was refused: ${JSON.stringify(refused)}`)
        acknowledged += 1
      }
    } catch (error) {
      fault = error
    } finally {
      writing = false
    }
  }

  return {
    client,
    writer,
    get acknowledged() {
      if (fault !== null) throw fault
      return acknowledged
    },
    async pause() {
      paused = true
      await until(() => !writing, 'the neighbour pauses')
    },
    resume() {
      paused = false
      if (!writing) void write()
    },
    async close() {
      paused = true
      await client.close()
    },
  }
}
