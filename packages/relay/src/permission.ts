/**
 * Who may do what: the three questions that a relay asks its application. Who is it (token), may they read or write
 * this space (access), and does this write keep the application's own rules (accept).
 */
import { collectionOfKey, strategyOfPart, fieldOfPart, type Strategy, type Write } from '@rejoin/core'
import { readableWrite, type ReadableWrite } from './readable-write.ts'

/** The user that a token stands for, or null if it stands for nobody. The user, not the token, is the identity (SPEC Q4). */
export type Authenticate = (token: string, context: TokenContext) => Promise<{ readonly user: string } | null>

export interface TokenContext {
  readonly space: string
  readonly device: string
  readonly address: string
}

export type Grant = 'read' | 'write' | 'none'

export type Access = (user: string, space: string) => Promise<Grant>

/** All rules in one, as the kernel asks them. */
export type Accept = (write: Write, context: WriteContext) => true | string

/**
 * An application's rule for a collection: true, or why not, for the author to read. Decides from the write and its
 * author alone, so that any relay may judge it (SPEC Q2). One that throws, or gives back anything else, refuses.
 */
export type AcceptRule = (write: ReadableWrite, context: WriteContext) => true | string

export interface WriteContext {
  readonly user: string
  readonly space: string
}

/** As much of a declared collection as a relay needs: each field's strategy. */
export interface DeclaredCollection {
  readonly fields: Readonly<Record<string, { readonly strategy: Strategy }>>
}

export interface Rules {
  /** With it, a write to anything else is refused. */
  readonly collections?: Readonly<Record<string, DeclaredCollection>> | undefined
  /** A rule for each collection that has one. */
  readonly accept?: Readonly<Record<string, AcceptRule>> | undefined
}

/** One rule out of what is declared and what the application adds. */
export function createAccept(rules: Rules): Accept {
  const collections = rules.collections === undefined ? null : new Map(Object.entries(rules.collections))
  const accepts = new Map(Object.entries(rules.accept ?? {}))
  if (collections === null && accepts.size === 0) return () => true
  return (write, context) => {
    const name = collectionOfKey(write.key)
    if (collections !== null) {
      const fault = findUndeclared(collections.get(name), name, write)
      if (fault !== null) return fault
    }
    const rule = accepts.get(name)
    return rule === undefined ? true : rule(readableWrite(write), context)
  }
}

/** In development any token is a user's name. */
export const trustEverybody: Authenticate = token =>
  Promise.resolve({ user: token === '' ? 'anonymous' : token })

/** Whoever is known may write wherever they can name. */
export const allowEverything: Access = () => Promise.resolve('write')

function findUndeclared(declared: DeclaredCollection | undefined, name: string, write: Write): string | null {
  if (declared === undefined) return `There is no collection ${name} here.`
  // Texts that are given back may come without their cells.
  for (const part of new Set([...write.delta.cells.keys(), ...write.texts.keys()])) {
    const field = fieldOfPart(part)
    const known = Object.hasOwn(declared.fields, field) ? declared.fields[field] : undefined
    if (known?.strategy !== strategyOfPart(part))
      return `${name} has no field ${field} of that strategy here.`
  }
  return null
}
