/**
 * Errors of fields, told with the field's name: a strategy knows what is wrong with a value, but not where it stands.
 */
import { RejoinError } from '@rejoin/core'
import type { Collection } from './collection.ts'

/** Runs a field's operation; what it throws says which field of which collection it was. */
export function inField<T>(collection: Collection, field: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw errorInField(error, collection, field)
  }
}

/** What a field's operation threw, with its name. */
export function errorInField(error: unknown, collection: Collection, field: string): unknown {
  return error instanceof RejoinError ? namedError(error, collection, field) : error
}

function namedError(error: RejoinError, collection: Collection, field: string): RejoinError {
  const where = `the field ${field} of ${collection.name}`
  const { details } = error
  if (error.code === 'value-unsupported' && 'path' in details) {
    const path = details.path === '' ? field : `${field}.${details.path}`
    const what = `${where} cannot be written: ${details.reason}`
    return new RejoinError('value-unsupported', { path, reason: details.reason }, what, error)
  }
  if (error.code === 'limit-exceeded' && 'actual' in details) {
    const { what, limit, actual } = details
    const told = { what: `${what} of ${where}`, limit, actual }
    return new RejoinError('limit-exceeded', told, `${told.what}: ${actual}, at most ${limit}`, error)
  }
  return error
}

export function unsupported(path: string, reason: string): RejoinError<'value-unsupported'> {
  return new RejoinError('value-unsupported', { path, reason }, `${path} cannot be used: ${reason}`)
}

export function documentUnknown(collection: Collection, id: string): RejoinError<'document-unknown'> {
  const document = `${collection.name}/${id}`
  return new RejoinError('document-unknown', { document }, `${document} does not exist on this device`)
}
