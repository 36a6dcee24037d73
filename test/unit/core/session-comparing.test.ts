// What a client compares at a cut, and what it makes of a difference (SPEC P5).
import { failure, joinRows, rowExists } from '@rejoin/core'
import { expect, test } from 'vitest'
import { deltaOf, markOf } from './edits.ts'
import { comparedAt, generation, kindsOf, page, pulling } from './pulling.ts'

test('[P5] a difference at a cut is looked at again when there is time, and one that stays and that its join does not explain is an alarm', () => {
  const one = pulling()
  expect(one.receive(comparedAt(one, 7, 7))).toEqual([])
  expect(kindsOf(one.rested())).toEqual(['heartbeat'])
  expect(kindsOf(one.rested())).toEqual([])
  one.receive(comparedAt(one, 7, 7))
  expect(kindsOf(one.rested())).toEqual(['range'])
  expect(one.alarms()).toBe(0)
  one.receive({ type: 'range', ranges: [] })
  expect(one.alarms()).toBe(1)
})

test.each([
  ['stands', false],
  ['was written over since', true],
])(
  '[P5] a deletion that the replica was spared explains a difference, also one that %s: another relay that had not heard of it gave the document',
  (_, isAnew) => {
    const one = pulling()
    const [row] = page(7, 7, 'a').rows
    if (row === undefined) throw new Error('there is no row')
    one.receive(page(7, 7, 'a'))
    for (let looks = 0; looks < 2; looks++) {
      one.receive(comparedAt(one, 7, 7))
      one.rested()
    }
    const { key } = row
    const mark = markOf('carol', 600, 0)
    const deleted = joinRows(row.delta, deltaOf({ kind: 'delete', policy: 'delete-wins' }, row.delta, mark))
    const delta = isAnew ? { ...deleted, revival: markOf('carol', 700, 0) } : deleted
    const items = [{ key, mark, digest: 'another' }]
    one.receive({ type: 'range', ranges: [{ end: null, content: { kind: 'items', items } }] })
    one.receive({ ...page(7, 7), answer: true, rows: [{ ...row, delta }] })
    one.receive({ type: 'given', count: 1, generation, position: 7, refused: [] })
    expect(one.state.confirmed(key)?.deletion?.mark).toEqual(mark)
    expect(rowExists(one.state.confirmed(key))).toBe(isAnew)
    expect(one.alarms()).toBe(0)
  },
)

test('[P5] a difference that the relay refuses to be given is no alarm, and no cut behind that is compared', () => {
  const one = pulling()
  one.receive(page(7, 7, 'a'))
  const [key] = [...one.state.keys()]
  if (key === undefined) throw new Error('there is no row')
  for (let looks = 0; looks < 2; looks++) {
    one.receive(comparedAt(one, 7, 0))
    one.rested()
  }
  const gives = one.receive({
    type: 'range',
    ranges: [{ end: null, content: { kind: 'items', items: [] } }],
  })
  expect(gives.map(({ type }) => type)).toEqual(['give'])
  const refused = [{ key, error: failure('clock-skew', { ms: 90_000, relayTime: 1000 }) }]
  one.receive({ type: 'given', count: 1, generation, position: 7, refused })
  expect(one.alarms()).toBe(0)
  for (let looks = 0; looks < 2; looks++) {
    one.receive(comparedAt(one, 7, 0))
    expect(kindsOf(one.rested())).toEqual([])
  }
})

test('[P5] a cut that comes while something is outstanding is asked for again once that is here', () => {
  const one = pulling()
  const [row] = page(7, 7, 'a').rows
  if (row === undefined) throw new Error('there is no row')
  const { cells } = row.delta
  const part = [...cells].slice(0, 1)
  one.receive({
    ...comparedAt(one, 7, 1),
    rows: [{ ...row, delta: { ...row.delta, cells: new Map(part) }, parts: cells.size }],
  })
  expect(one.state.wants).toEqual([row.key])
  const sent = one.receive({ ...page(7, 7), answer: true, rows: [row] })
  expect(sent.map(({ type }) => type)).toContain('heartbeat')
})
