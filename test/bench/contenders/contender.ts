/** What a workload measures: Rejoin, and the limit, by the same few verbs. */
import type { ServerProcess } from '../measure/server-process.ts'
import type { Entry, EntryField } from '../records.ts'

export interface Contender {
  readonly name: string
  start(): Promise<ServerProcess>
  /** Resolves when the client has what the server has. */
  connect(server: ServerProcess, space: string): Promise<ContenderClient>
}

export interface ContenderClient {
  set(id: string, field: EntryField, value: string | number): void
  get(id: string, field: EntryField): string | number | undefined
  /** Many new entries as one. */
  bulk(list: readonly (readonly [string, Entry])[]): void
  count(): number
  /** Calls with each value of field `n` that another client wrote. */
  onNumber(hear: (n: number) => void): void
  offline(): Promise<void>
  online(): Promise<void>
  /** Everything, in an order of its own, to compare two clients by. */
  snapshot(): string
  close(): Promise<void>
}
