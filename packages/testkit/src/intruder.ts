/**
 * An intruder: who has no token, no access to the space, or says that it is a peer without the operators' token. It is
 * told why it is refused, and nothing of what the space holds (V13).
 */
import { decodeFrame, documentKey, encodeFrame, writerFromBytes, type StoreId } from '@rejoin/core'
import type { Application } from './application/application.ts'
import { intruderName, type Cluster } from './cluster.ts'
import { helloWith } from './hello.ts'
import { createScope } from './scope.ts'

/** Tries one way in. Whether there was a relay to try. */
export function createIntruder(cluster: Cluster, { findings, space }: Application): () => boolean {
  const { chance, clock, network } = cluster
  return () => {
    const relay = chance.pick(cluster.relays)
    if (!relay.alive) return false
    const way = chance.pick([
      { name: 'without a token', token: '', role: 'client' },
      { name: 'without access', token: intruderName, role: 'client' },
      { name: 'as a peer', token: 'not the token of peers', role: 'peer' },
    ] as const)
    const scope = createScope(clock)
    const hello = helloWith({
      space,
      token: way.token,
      replica: String(writerFromBytes(chance.bytes(8))) as StoreId,
      device: intruderName,
      role: way.role,
    })
    clock.after(5000, () => scope.kill())
    network.connectFrom(intruderName, scope)(relay.url, {
      opened(link) {
        link.send(encodeFrame(hello))
        // It does not wait for an answer.
        link.send(encodeFrame({ type: 'range', ranges: [] }))
        const keys = [documentKey('notes', 'a'), documentKey('pairs', 'left')]
        link.send(encodeFrame({ type: 'want', keys, texts: [], writers: [] }))
      },
      frame(bytes) {
        const decoded = decodeFrame(bytes)
        if (!decoded.ok || decoded.value.type !== 'refuse')
          findings.push(`[V13] ${relay.url} answered who came ${way.name}`)
      },
      closed: () => {},
    })
    return true
  }
}
