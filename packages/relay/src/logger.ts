/**
 * The relay's log: pino's plain lines of JSON, one event a line. What is logged are events, sizes and codes; never
 * tokens, never what people wrote.
 */
import { destination, pino, type Logger } from 'pino'
import type { Log } from './kernel-port.ts'

export const logLevels = ['error', 'info', 'debug', 'silent'] as const

export type LogLevel = (typeof logLevels)[number]

/** A log on standard error, so that standard output stays for what a person asked for. */
export function createLog(level: LogLevel): Log {
  const logger: Logger = pino({ level, base: null }, destination({ dest: 2, sync: true }))
  return logger
}

export const noLog: Log = {
  error: () => {},
  info: () => {},
  debug: () => {},
}
