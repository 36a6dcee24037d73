/** The hello of a client that holds nothing. */
import { noPositions, protocolVersion, type HelloFrame } from '@rejoin/core'

export function emptyHello(
  space: string,
  { replica, device }: Pick<HelloFrame, 'replica' | 'device'>,
): HelloFrame {
  return {
    type: 'hello',
    protocol: protocolVersion,
    space,
    token: '',
    replica,
    device,
    role: 'client',
    cursors: [],
    empty: true,
    frontier: noPositions,
    reach: noPositions,
    level: 'relay',
    credit: 0,
  }
}
