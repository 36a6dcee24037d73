/** The bodies of frames that begin, carry and end a session, and hold no rows. */
import type {
  HelloFrame,
  Level,
  PassedContent,
  PassedFrame,
  VerdictException,
  VerdictFrame,
  WelcomeFrame,
} from '../frames.ts'
import { protocolVersion } from '../frames.ts'
import type { StoreId } from '../generations.ts'
import { limits } from '../limits.ts'
import { readNumber, writeNumber } from './numbers.ts'
import type { Dictionary, Names } from './dictionary.ts'
import { readFailure, writeFailure } from './failures.ts'
import {
  cutsOf,
  isFirstName,
  readGeneration,
  readCursor,
  readCursors,
  readGenerations,
  readName,
  readOptionalName,
  readPositions,
  writeCursor,
  writeCursors,
  writeGenerations,
  writeName,
  writeOptionalName,
  writePositions,
} from './positions.ts'
import { readByte, readBytes, readCount, readString, readUint, type Reader } from './reader.ts'
import { refuseMalformed } from './refusal.ts'
import { writeByte, writeBytes, writeString, writeUint, type Writer } from './writer.ts'

const levels: readonly Level[] = ['local', 'relay', 'quorum']
const beginnings: readonly WelcomeFrame['begin'][] = ['resume', 'join', 'new']
const passedKinds: readonly PassedContent['kind'][] = ['begin', 'frame', 'end']
const exceptionKinds: readonly VerdictException['kind'][] = [
  'refused',
  'skipped',
  'lost',
  'hidden',
  'partial',
]

/** Everything but the protocol's version, which stands before it. */
export function writeHello(writer: Writer, dictionary: Dictionary, frame: HelloFrame): void {
  writeString(writer, frame.space)
  writeString(writer, frame.token)
  writeName(writer, dictionary, frame.replica)
  writeString(writer, frame.device)
  writeFlags(writer, [frame.role === 'peer', frame.empty])
  writeByte(writer, levels.indexOf(frame.level))
  writeUint(writer, frame.credit)
  writeCursors(writer, dictionary, frame.cursors)
  writePositions(writer, dictionary, frame.frontier, cutsOf(frame.cursors))
  writePositions(writer, dictionary, frame.reach, frame.frontier)
}

export function readHello(reader: Reader, names: Names): HelloFrame {
  const space = readShortString(reader)
  const token = readString(reader, 'bytes of a token', limits.tokenBytesMax)
  const replica = readName<StoreId>(reader, names)
  const device = readShortString(reader)
  const [isPeer, empty] = readFlags(reader, 2)
  const level = readLevel(reader)
  const credit = readUint(reader)
  const cursors = readCursors(reader, names)
  const frontier = readPositions(reader, names, cutsOf(cursors))
  return {
    type: 'hello',
    protocol: protocolVersion,
    space,
    token,
    replica,
    device,
    role: isPeer ? 'peer' : 'client',
    cursors,
    empty: empty ?? false,
    frontier,
    reach: readPositions(reader, names, frontier),
    level,
    credit,
  }
}

export function writeWelcome(writer: Writer, dictionary: Dictionary, frame: WelcomeFrame): void {
  writeNumber(writer, frame.time)
  writeName(writer, dictionary, frame.store)
  writeByte(writer, beginnings.indexOf(frame.begin))
  writeFlags(writer, [frame.covers])
  writeCursor(writer, dictionary, frame.cursor)
  writeGenerations(writer, dictionary, frame.generations)
  writePositions(writer, dictionary, frame.frontier, cutsOf([frame.cursor]))
  writeUint(writer, frame.levels.length)
  for (const level of frame.levels) writeByte(writer, levels.indexOf(level))
  writeString(writer, frame.user)
  writeOptionalName(writer, dictionary, frame.leader)
  writeUint(writer, frame.term)
}

export function readWelcome(reader: Reader, names: Names): WelcomeFrame {
  const time = readTime(reader)
  const store = readName<StoreId>(reader, names)
  const begin = beginnings[readByte(reader)] ?? refuseMalformed('a session begins in an unknown way')
  const [covers] = readFlags(reader, 1)
  const cursor = readCursor(reader, names)
  const generations = readGenerations(reader, names)
  const frontier = readPositions(reader, names, cutsOf([cursor]))
  const offered: Level[] = []
  for (let left = readCount(reader, 'levels', levels.length, 1); left > 0; left--)
    offered.push(readLevel(reader))
  return {
    type: 'welcome',
    time,
    store,
    begin,
    cursor,
    generations,
    frontier,
    covers: covers ?? false,
    levels: offered,
    user: readShortString(reader),
    leader: readOptionalName<StoreId>(reader, names),
    term: readUint(reader),
  }
}

export function writeVerdict(writer: Writer, dictionary: Dictionary, frame: VerdictFrame): void {
  const { count, cut, generation, position, exceptions } = frame
  const isFirst = isFirstName(dictionary, generation)
  const hasExceptions = exceptions.length > 0
  writeUint(writer, count * 8 + (cut ? 1 : 0) + (isFirst ? 2 : 0) + (hasExceptions ? 4 : 0))
  if (!isFirst) writeName(writer, dictionary, generation)
  writeUint(writer, position)
  if (hasExceptions) writeUint(writer, exceptions.length)
  for (const exception of exceptions) {
    writeUint(writer, exception.index)
    writeByte(writer, exceptionKinds.indexOf(exception.kind))
    if (exception.kind !== 'skipped') writeUint(writer, exception.write)
    if (exception.kind === 'refused') writeFailure(writer, exception.error)
  }
}

export function readVerdict(reader: Reader, names: Names): VerdictFrame {
  const head = readUint(reader)
  const flags = head % 8
  const generation = readGeneration(reader, names, (flags & 2) !== 0)
  const position = readUint(reader)
  const exceptions: VerdictException[] = []
  const hasExceptions = (flags & 4) !== 0
  const left = hasExceptions ? readCount(reader, 'exceptions', limits.frameBytesMax, 2) : 0
  if (hasExceptions && left === 0) refuseMalformed('a verdict is not in its one form')
  for (let i = 0; i < left; i++) exceptions.push(readException(reader))
  const count = Math.floor(head / 8)
  return { type: 'verdict', count, generation, position, cut: (flags & 1) !== 0, exceptions }
}

function readException(reader: Reader): VerdictException {
  const index = readUint(reader)
  const kind = exceptionKinds[readByte(reader)] ?? refuseMalformed('a verdict is of an unknown kind')
  if (kind === 'skipped') return { index, kind }
  const write = readUint(reader)
  return kind === 'refused' ? { index, kind, write, error: readFailure(reader) } : { index, kind, write }
}

export function writePassed(writer: Writer, dictionary: Dictionary, frame: PassedFrame): void {
  const { session, content } = frame
  writeUint(writer, session)
  writeByte(writer, passedKinds.indexOf(content.kind))
  if (content.kind === 'frame') return writeBytes(writer, content.bytes)
  if (content.kind === 'end') return
  writeString(writer, content.user)
  writeName(writer, dictionary, content.replica)
  writeString(writer, content.device)
}

export function readPassed(reader: Reader, names: Names): PassedFrame {
  return { type: 'passed', session: readUint(reader), content: readPassedContent(reader, names) }
}

function readPassedContent(reader: Reader, names: Names): PassedContent {
  const kind = passedKinds[readByte(reader)] ?? refuseMalformed('what is passed on is of an unknown kind')
  if (kind === 'end') return { kind }
  if (kind === 'frame') return { kind, bytes: readBytes(reader, 'bytes of a frame', limits.frameBytesMax) }
  return {
    kind,
    user: readShortString(reader),
    replica: readName<StoreId>(reader, names),
    device: readShortString(reader),
  }
}

export function readShortString(reader: Reader): string {
  return readString(reader, 'bytes of a name', limits.nameBytesMax)
}

/** Milliseconds, whole or not. */
export function readTime(reader: Reader): number {
  const time = readNumber(reader)
  return Number.isFinite(time) ? time : refuseMalformed('a time is not a finite number')
}

/** The first flag is the lowest bit. */
export function writeFlags(writer: Writer, flags: readonly boolean[]): void {
  let byte = 0
  for (let i = 0; i < flags.length; i++) if (flags[i]) byte += 2 ** i
  writeByte(writer, byte)
}

export function readFlags(reader: Reader, count: number): readonly boolean[] {
  const byte = readByte(reader)
  if (byte >= 2 ** count) refuseMalformed('an unknown flag is set')
  const flags: boolean[] = []
  for (let i = 0; i < count; i++) flags.push((byte & (1 << i)) !== 0)
  return flags
}

function readLevel(reader: Reader): Level {
  return levels[readByte(reader)] ?? refuseMalformed('a level is unknown')
}
