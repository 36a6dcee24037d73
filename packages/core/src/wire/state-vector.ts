/** State vectors of texts: for each Yjs client (32 bits) the clock up to which its structs are known. */
import { readAnyCount, readUint, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { writeUint, type Writer } from './writer.ts'

export function writeStateVector(writer: Writer, stateVector: ReadonlyMap<number, number>): void {
  writeUint(writer, stateVector.size)
  for (const [client, clock] of [...stateVector].sort((a, b) => a[0] - b[0])) {
    writeUint(writer, client)
    writeUint(writer, clock)
  }
}

export function readStateVector(reader: Reader): ReadonlyMap<number, number> {
  const stateVector = new Map<number, number>()
  const count = readAnyCount(reader, 'clients of a text', 2)
  for (let i = 0; i < count; i++) {
    const client = readUint(reader)
    if (client >= 2 ** 32) refuseMalformed('a client of a text is beyond 32 bits')
    stateVector.set(client, readUint(reader))
  }
  if (stateVector.size !== count) refuseMalformed('a state vector has a client twice')
  return stateVector
}
