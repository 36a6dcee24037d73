/**
 * How decoders give up. Deep inside, a malformed input is thrown as a `Refusal`; `attempt` stands at every public
 * entry and turns it into a value, so that nothing which came from outside ever throws at a caller.
 */
import { failure, type Failure, type Outcome } from '../errors.ts'

class Refusal extends Error {
  readonly failure: Failure

  constructor(error: Failure) {
    super(error.code)
    this.failure = error
  }
}

/** Runs a decoder. A bug of ours still throws; only refusals become values. */
export function attempt<T>(decode: () => T): Outcome<T> {
  try {
    return { ok: true, value: decode() }
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, error: error.failure }
    throw error
  }
}

export function refuse(error: Failure): never {
  throw new Refusal(error)
}

export function refuseMalformed(reason: string): never {
  refuse(failure('malformed-frame', { reason }))
}

/** Refuses what goes beyond a limit, by the limit's name. */
export function checkLimit(what: string, limit: number, actual: number): void {
  if (actual > limit) refuse(failure('limit-exceeded', { what, limit, actual }))
}
