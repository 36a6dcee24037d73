/** The bodies of all frames, as relays have them: to a peer a relay says what a client says, too. */
import type { Frame } from '../frames.ts'
import { readAnswer, writeRequest } from './client-bodies.ts'
import { readGive, readSubmit, readWant, writeChanges, writeGiven, writeText } from './data-frames.ts'
import type { Dictionary, Names } from './dictionary.ts'
import { writeFailure } from './failures.ts'
import { writeNumber } from './numbers.ts'
import { writeName } from './positions.ts'
import { readUint, type Reader } from './reader.ts'
import { readHello, readPassed, writePassed, writeVerdict, writeWelcome } from './session-frames.ts'
import { writeBytes, writeString, writeUint, type Writer } from './writer.ts'

export function writeBody(writer: Writer, dictionary: Dictionary, frame: Frame): void {
  switch (frame.type) {
    case 'welcome':
      return writeWelcome(writer, dictionary, frame)
    case 'refuse':
      return writeFailure(writer, frame.error)
    case 'bye':
      return writeNumber(writer, frame.retryAfterMs)
    case 'changes':
      return writeChanges(writer, dictionary, frame)
    case 'text':
      return writeText(writer, dictionary, frame)
    case 'verdict':
      return writeVerdict(writer, dictionary, frame)
    case 'given':
      return writeGiven(writer, dictionary, frame)
    case 'presence':
      writeString(writer, frame.from)
      return writeBytes(writer, frame.state)
    case 'passed':
      return writePassed(writer, dictionary, frame)
    case 'quorum':
      writeName(writer, dictionary, frame.generation)
      return writeUint(writer, frame.position)
    default:
      return writeRequest(writer, dictionary, frame)
  }
}

export function readBody(reader: Reader, names: Names, type: Frame['type']): Frame {
  switch (type) {
    case 'hello':
      return readHello(reader, names)
    case 'credit':
      return { type, bytes: readUint(reader) }
    case 'want':
      return readWant(reader, names)
    case 'submit':
      return readSubmit(reader, names)
    case 'go-on':
      return { type, round: readUint(reader) }
    case 'give':
      return readGive(reader, names)
    case 'passed':
      return readPassed(reader, names)
    default:
      return readAnswer(reader, names, type)
  }
}
