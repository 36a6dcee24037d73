import type { WriterId } from '../mark.ts'
import type { DocumentKey } from '../row.ts'
import type { Transaction } from '../write.ts'

/** What applying something changed, for queries, editors and promises. */
export interface Applied {
  readonly changed: ReadonlySet<DocumentKey>
  /** Writers that were made anew, and with which their tabs go on (SPEC W6). */
  readonly writers: ReadonlyMap<WriterId, WriterId>
  /** Bodies of which something was taken out, so that they must be built again (SPEC X9). */
  readonly rebuilt: ReadonlySet<string>
  /** Updates that came to bodies, by body; of those that are built again perhaps not all. */
  readonly arrived: ReadonlyMap<string, readonly Uint8Array[]>
}

export interface AppliedChunk extends Applied {
  /** Own transactions that left the outbox in chunks that are gone, so that no chunk says what became of them. */
  readonly overtaken: readonly Transaction[]
}
