/**
 * Names that mean something to every JavaScript object. They are refused as keys of values and as names of
 * collections, fields and documents, so that no table by name, here or in an application, can be poisoned.
 */
export function isForbiddenKey(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype'
}
