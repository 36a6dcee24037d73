/** What somebody greets a relay with, of which is named only what it is about. */
import { protocolVersion, writerFromBytes, type HelloFrame, type StoreId } from '@rejoin/core'

/** From a client of alice that holds nothing, and takes in nothing until it gives credit. */
export function helloWith(more: Partial<Omit<HelloFrame, 'type'>> = {}): HelloFrame {
  return {
    type: 'hello',
    protocol: protocolVersion,
    space: 'space',
    token: 'alice',
    replica: writerFromBytes(new Uint8Array(8)) as string as StoreId,
    device: '',
    role: 'client',
    cursors: [],
    empty: true,
    frontier: new Map(),
    reach: new Map(),
    level: 'relay',
    credit: 0,
    ...more,
  }
}
