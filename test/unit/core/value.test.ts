// Values as bytes: what goes in comes out, one value has one encoding, and nothing from outside can hurt.
import { decodeValue, encodeValue, limits, RejoinError } from '@rejoin/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const forbidden = ['__proto__', 'constructor', 'prototype']

const arbitraryValue = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(undefined, null, true, false, -0, Number.NaN, Number.POSITIVE_INFINITY, -1n, 0n),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.bigInt(),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.uint8Array({ maxLength: 40 }),
    fc.date({ noInvalidDate: true }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(
      fc.string({ unit: 'grapheme' }).filter(key => !forbidden.includes(key)),
      tie('value'),
      { maxKeys: 20, noNullPrototype: true },
    ),
  ),
})).value

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof RejoinError) return error.code
    throw error
  }
  return 'nothing'
}

function refusalOf(bytes: Uint8Array): string {
  const decoded = decodeValue(bytes)
  return decoded.ok ? 'nothing' : decoded.error.code
}

describe('a value', () => {
  test('comes out of its bytes as it went in, and a proper prefix is refused', () => {
    fc.assert(
      fc.property(arbitraryValue, value => {
        const bytes = encodeValue(value)
        const decoded = decodeValue(bytes)
        expect(decoded).toStrictEqual({ ok: true, value })
        for (let end = 0; end < Math.min(bytes.length, 64); end++)
          expect(decodeValue(bytes.subarray(0, end)).ok).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  test('has one encoding whatever the order of its keys', () => {
    expect(encodeValue({ b: 1, a: { d: 2, c: 3 } })).toEqual(encodeValue({ a: { c: 3, d: 2 }, b: 1 }))
    expect(encodeValue(Object.assign(Object.create(null), { a: 1 }))).toEqual(encodeValue({ a: 1 }))
  })

  test('that decodes is the encoding of what it decodes to', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), bytes => {
        const decoded = decodeValue(bytes)
        if (decoded.ok) expect(encodeValue(decoded.value)).toEqual(bytes)
      }),
      { numRuns: 2000 },
    )
  })

  test('reads alike by itself and where it lies among others, and what is cut short is refused there too', () => {
    const ascii = fc.string({ maxLength: 140 })
    const arbitraryPlain = fc.oneof(ascii, fc.nat(), fc.nat(200), arbitraryValue)
    fc.assert(
      fc.property(arbitraryPlain, ascii, fc.integer({ min: -1, max: 1 }), (value, before, off) => {
        const ahead = new TextEncoder().encode(before)
        const own = encodeValue(value)
        const bytes = new Uint8Array([...ahead, ...own, 0x20])
        const text = bytes.every(byte => byte < 128) ? String.fromCharCode(...bytes) : null
        const to = ahead.length + own.length + off
        const there = decodeValue(bytes, ahead.length, to, text, ahead.length)
        expect(there.ok).toBe(off === 0)
        if (there.ok) expect(encodeValue(there.value)).toEqual(own)
        expect(decodeValue(bytes, ahead.length, to)).toEqual(there)
      }),
      { numRuns: 500 },
    )
  })

  test('is small', () => {
    expect(encodeValue('hello').length).toBe(6)
    expect(encodeValue(7).length).toBe(1)
    expect(encodeValue(true).length).toBe(1)
    expect(encodeValue({ done: false }).length).toBe(7)
  })

  test('has lone surrogates in texts replaced and in keys refused', () => {
    expect(decodeValue(encodeValue('a\ud800b'))).toEqual({ ok: true, value: 'a\ufffdb' })
    expect(codeOf(() => encodeValue({ '\udc00': 1 }))).toBe('value-unsupported')
  })

  test('of another kind is refused with its place', () => {
    class Point {}
    for (const strange of [
      () => 1,
      Symbol('s'),
      new Map(),
      new Point(),
      new Float64Array(1),
      new Date(Number.NaN),
    ])
      expect(codeOf(() => encodeValue(strange))).toBe('value-unsupported')
    try {
      encodeValue({ list: [1, { deep: () => 1 }] })
    } catch (error) {
      expect(error).toMatchObject({ code: 'value-unsupported', details: { path: 'list.1.deep' } })
    }
    expect.assertions(7)
  })

  test('with a key that means something to every object is refused on both sides', () => {
    for (const key of forbidden) {
      expect(codeOf(() => encodeValue(JSON.parse(`{"a":{"${key}":1}}`)))).toBe('key-forbidden')
      const bytes = encodeValue({ ['x'.repeat(key.length)]: 1 })
      for (let i = 0; i < key.length; i++) bytes[2 + i] = key.charCodeAt(i)
      expect(decodeValue(bytes)).toEqual({ ok: false, error: { code: 'key-forbidden', details: { key } } })
    }
    expect(decodeValue(encodeValue({ toString: 1, hasOwnProperty: 2 })).ok).toBe(true)
  })

  test('nested 10,000 deep, or in itself, is refused on both sides', () => {
    let nested: unknown = 1
    for (let i = 0; i < 10_000; i++) nested = [nested]
    const circle: unknown[] = []
    circle.push(circle)
    expect(codeOf(() => encodeValue(nested))).toBe('limit-exceeded')
    expect(codeOf(() => encodeValue(circle))).toBe('limit-exceeded')
    expect(refusalOf(new Uint8Array(10_000).fill(0x81))).toBe('limit-exceeded')
    let allowed: unknown = 1
    for (let i = 0; i < limits.valueDepthMax; i++) allowed = [allowed]
    expect(decodeValue(encodeValue(allowed)).ok).toBe(true)
    expect(codeOf(() => encodeValue([allowed]))).toBe('limit-exceeded')
  })

  test('beyond the limits of size is refused on both sides', () => {
    expect(codeOf(() => encodeValue('x'.repeat(limits.valueBytesMax)))).toBe('limit-exceeded')
    expect(codeOf(() => encodeValue(Array.from({ length: limits.valueKeysMax + 1 }, () => 1)))).toBe(
      'limit-exceeded',
    )
    expect(codeOf(() => encodeValue(Array.from({ length: 9000 }, () => 'y'.repeat(1000))))).toBe(
      'limit-exceeded',
    )
    expect(encodeValue('x'.repeat(limits.valueBytesMax - 4)).length).toBe(limits.valueBytesMax)
    expect(refusalOf(new Uint8Array(limits.valueBytesMax + 1))).toBe('limit-exceeded')
    // Declared lengths of 2^31: of a list, an object, a text, bytes and a bigint.
    for (const tag of [12, 13, 10, 11, 7])
      expect(['limit-exceeded', 'malformed-frame']).toContain(
        refusalOf(new Uint8Array([tag, 0x80, 0x80, 0x80, 0x80, 0x08])),
      )
  })

  test('that is a date has no negative zero', () => {
    const zero = [6, 0x80, 0, 0, 0, 0, 0, 0, 0]
    expect(decodeValue(new Uint8Array(zero))).toEqual({ ok: true, value: -0 })
    expect(refusalOf(new Uint8Array([9, ...zero]))).toBe('malformed-frame')
  })

  test('from random bytes never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200, size: 'max' }), bytes => void decodeValue(bytes)),
      { numRuns: 3000 },
    )
  })
})
