/**
 * The relay's log: pino's plain lines of JSON, one event a line. What is logged are events, sizes and codes; never
 * tokens, never what people wrote.
 */
import { destination, pino, type Logger } from 'pino'
import type { Log } from './kernel-port.ts'

export const logLevels = ['error', 'info', 'debug', 'silent'] as const

export type LogLevel = (typeof logLevels)[number]

/** Of lines that could not be written, those that are kept until they can be. */
const keptBytesMax = 256 * 1024

/** A log on standard error, so that standard output stays for what a person asked for. */
export function createLog(level: LogLevel): Log {
  const lines = destination({ dest: 2, sync: true, maxLength: keptBytesMax })
  // Where the disk of the log is full, which often is that of the store, the relay goes on all the same.
  lines.on('error', () => {})
  const logger: Logger = pino({ level, base: null }, lines)
  return logger
}

export const noLog: Log = {
  error: () => {},
  info: () => {},
  debug: () => {},
}
