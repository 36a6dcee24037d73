/**
 * The rules of a relay that is started by the command: a module that exports what `createRelay` takes in code.
 */
import { pathToFileURL } from 'node:url'
import type { Configuration } from './configuration.ts'
import type { RelayOptions } from './relay-options.ts'

export type FileRules = Pick<RelayOptions, 'token' | 'access' | 'accept' | 'collections'>

export type ReadRules =
  | { readonly ok: true; readonly rules: FileRules }
  | { readonly ok: false; readonly problem: string }

export async function readRules(
  configuration: Pick<Configuration, 'rules' | 'development'>,
): Promise<ReadRules> {
  const { rules: path, development } = configuration
  if (path === null) return { ok: true, rules: {} }
  let module: FileRules
  try {
    module = await import(pathToFileURL(path).href)
  } catch (error) {
    const [line = ''] = String(error instanceof Error ? error.message : error).split('\n')
    return { ok: false, problem: `--rules ${path} could not be loaded: ${line}` }
  }
  const { token, access, accept, collections } = module
  if (token === undefined && !development) {
    return { ok: false, problem: `--rules ${path} exports no function \`token\`, so nobody could connect.` }
  }
  for (const [name, value] of Object.entries({ token, access })) {
    if (value !== undefined && typeof value !== 'function') {
      return { ok: false, problem: `--rules ${path}: its \`${name}\` is not a function.` }
    }
  }
  for (const [name, value] of Object.entries({ accept, collections })) {
    if (value !== undefined && (typeof value !== 'object' || value === null)) {
      return { ok: false, problem: `--rules ${path}: its \`${name}\` is not an object by collection.` }
    }
  }
  return { ok: true, rules: { token, access, accept, collections } }
}
