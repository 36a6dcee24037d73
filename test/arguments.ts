/** Arguments of commands: what cannot be meant ends the command with 2 and a sentence that says what can. */

export class ArgumentError extends Error {}

export function wholeNumber(option: string, text: string, least: number): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= least && Number.isSafeInteger(number)) return number
  throw new ArgumentError(`--${option} is a whole number from ${least} on, not '${text}'`)
}

export function oneOf(what: string, text: string, all: readonly string[]): string {
  if (all.includes(text)) return text
  throw new ArgumentError(`there is no ${what} '${text}'; there are ${all.join(', ')}`)
}

/** Gives back what was read, if it could be. */
export function orEnd<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    const isTheirs = error instanceof ArgumentError || isUnparsable(error)
    if (!isTheirs) throw error
    console.error(error.message)
    process.exit(2)
  }
}

function isUnparsable(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}
