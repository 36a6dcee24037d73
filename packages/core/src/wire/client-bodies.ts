/** The bodies of frames that a client writes, and of those that it reads: a page loads no more than these. */
import type { AnswerFrame, Frame, RequestFrame } from '../frames.ts'
import type { GenerationId } from '../generations.ts'
import { limits } from '../limits.ts'
import { readChanges, readGiven, readText, writeGive, writeSubmit, writeWant } from './data-frames.ts'
import type { Dictionary, Names } from './dictionary.ts'
import { readFailure } from './failures.ts'
import { writeNumber } from './numbers.ts'
import { readName } from './positions.ts'
import { readRange, writeRange } from './range-frame.ts'
import { readBytes, readUint, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { readShortString, readTime, readVerdict, readWelcome, writeHello } from './session-frames.ts'
import { writeUint, type Writer } from './writer.ts'

export function writeRequest(writer: Writer, dictionary: Dictionary, frame: RequestFrame): void {
  switch (frame.type) {
    case 'hello':
      return writeHello(writer, dictionary, frame)
    case 'credit':
      return writeUint(writer, frame.bytes)
    case 'want':
      return writeWant(writer, dictionary, frame)
    case 'submit':
      return writeSubmit(writer, dictionary, frame)
    case 'go-on':
      return writeUint(writer, frame.round)
    case 'range':
      return writeRange(writer, dictionary, frame)
    case 'give':
      return writeGive(writer, dictionary, frame)
    case 'heartbeat':
      writeUint(writer, frame.position)
      return writeNumber(writer, frame.time)
  }
}

export function readAnswer(reader: Reader, names: Names, type: Frame['type']): AnswerFrame {
  switch (type) {
    case 'welcome':
      return readWelcome(reader, names)
    case 'refuse':
      return { type, error: readFailure(reader) }
    case 'bye':
      return { type, retryAfterMs: readTime(reader) }
    case 'changes':
      return readChanges(reader, names)
    case 'text':
      return readText(reader, names)
    case 'verdict':
      return readVerdict(reader, names)
    case 'range':
      return readRange(reader, names)
    case 'given':
      return readGiven(reader, names)
    case 'heartbeat':
      return { type, position: readUint(reader), time: readTime(reader) }
    case 'presence':
      return {
        type,
        from: readShortString(reader),
        state: readBytes(reader, 'bytes of a presence', limits.valueBytesMax),
      }
    case 'quorum':
      return { type, generation: readName<GenerationId>(reader, names), position: readUint(reader) }
    default:
      return refuseMalformed('a frame is not for clients')
  }
}
