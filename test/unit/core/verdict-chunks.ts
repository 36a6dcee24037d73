/** What the relay of chunk-history.ts says of one write. */
import { failure, type Chunk, type Transaction, type VerdictsChunk } from '@rejoin/core'
import { generation, relay } from './chunk-history.ts'

export const taken = { kind: 'acknowledged', shows: 'yes' } as const
export const refused = {
  kind: 'refused',
  write: 0,
  error: failure('refused-by-rule', { reason: 'no' }),
} as const

export function verdictOn({ id }: Transaction, outcome: VerdictsChunk['verdicts'][number]['outcome']): Chunk {
  const verdicts = [{ id, outcome }]
  return { kind: 'verdicts', store: relay, generation, position: 7, cut: false, verdicts, wants: [] }
}
