// Judging what is given back (SPEC T2, X3, X8).
import { emptyRow, failure, judgeGiven, limits, noTexts } from '@rejoin/core'
import type { PartName, Row } from '@rejoin/core'
import { expect, test } from 'vitest'
import { body, deltaOf, markOf, title, writerOf } from './edits.ts'
import {
  now,
  note,
  insert,
  recolor,
  relayWith,
  contextOf,
  rowOf,
  judges,
  codeOf,
  deletionOf,
  withTwin,
  rowWith,
  siblingsOf,
  typistOf,
  typing,
} from './judge-scene.ts'

test('[T2] of what is given back the rule is asked by what could have made it: what inserts, and what deletes', () => {
  const relay = relayWith()
  const asked: string[] = []
  relay.rule = ({ delta, whole }) => {
    asked.push(
      `${whole ? 'whole' : 'part'}: ${[...delta.cells.keys()].join()}${delta.deletion ? ' deletion' : ''}`,
    )
    return delta.deletion === null ? null : failure('refused-by-rule', { reason: 'nobody deletes here' })
  }
  const row = withTwin(deltaOf(recolor, undefined, markOf('bob', now - 9)))
  const given = { key: note, row, texts: noTexts }
  expect(judgeGiven(given, contextOf(relay, 'alice'))).toMatchObject({ ok: true })
  expect(asked).toEqual(['whole: lww:color', 'whole: ask:color'])
  const deleted = { ...given, row: { ...row, deletion: deletionOf({}).deletion } }
  expect(judgeGiven(deleted, contextOf(relay, 'alice'))).toMatchObject({ error: { code: 'refused-by-rule' } })
  expect(asked.slice(2)).toEqual(['whole: lww:color', 'whole: ask:color', 'part:  deletion'])
})

test.each(['text:body', 'set:tags'] as const)('[X3] updates of %s are not given without its cell', name => {
  const relay = relayWith([insert, markOf('bob', now - 9)])
  const row = deltaOf({ kind: 'color', value: 'teal' }, rowOf(relay), markOf('bob', now - 8))
  const given = { key: note, row, texts: new Map([[name as PartName, [new Uint8Array(3)]]]) }
  expect(judgeGiven(given, contextOf(relay, 'alice'))).toMatchObject({
    ok: false,
    error: { code: 'text-invalid' },
  })
})

test('[X3] the cell of a text is not given back without its body, unless all that it tells of is here', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)], [{ kind: 'type' }, markOf('bob', now - 5)])
  const gives = (row: Row): ReturnType<typeof judgeGiven> =>
    judgeGiven({ key: note, row, texts: noTexts }, contextOf(relay, 'alice'))
  expect(gives(rowOf(relay)).ok).toBe(true)
  const later = deltaOf({ kind: 'type' }, rowOf(relay), markOf('carol', now - 3))
  expect(gives(later)).toMatchObject({ ok: false, error: { code: 'text-invalid' } })
})

test('[T2] a row that is given back is taken under the marks of others', () => {
  const row = rowOf(relayWith([insert, markOf('bob', now - 9)], [recolor, markOf('carol', now - 5)]))
  const judged = judgeGiven({ key: note, row, texts: noTexts }, contextOf(relayWith(), 'alice'))
  expect(judged.ok && judged.value.row).toEqual(row)
})

test('[T2] a row that is given back is judged by rule, time and size as if it were written now', () => {
  const late = rowOf(relayWith([insert, markOf('bob', now + limits.skewMs + 1)]))
  const given = { key: note, row: late, texts: noTexts }
  expect(judgeGiven(given, contextOf(relayWith(), 'alice'))).toMatchObject({ error: { code: 'clock-skew' } })
  const crowded = { ...given, row: rowOf(rowWith(new Map([[title, siblingsOf(limits.siblingsMax + 1)]]))) }
  expect(judgeGiven(crowded, contextOf(relayWith(), 'alice'))).toMatchObject({
    error: { code: 'too-many-siblings' },
  })
  const closed = { ...relayWith(), rule: () => failure('refused-by-rule', { reason: 'closed' }) }
  expect(judgeGiven({ ...given, row: emptyRow }, contextOf(closed, 'alice'))).toMatchObject({
    error: { code: 'refused-by-rule' },
  })
})

test('[T2] what the relay shows already it takes back whatever the rules say now', () => {
  const relay = relayWith([insert, markOf('bob', now - 9)], [recolor, markOf('bob', now - 5)])
  relay.rule = () => failure('refused-by-rule', { reason: 'only its author writes here' })
  const gives = (row: Row): ReturnType<typeof judgeGiven> =>
    judgeGiven({ key: note, row, texts: noTexts }, contextOf(relay, 'alice'))
  expect(gives(rowOf(relay))).toMatchObject({ ok: true, value: { row: rowOf(relay), updates: [] } })
  const later = deltaOf(recolor, rowOf(relay), markOf('bob', now - 3))
  expect(gives(later)).toMatchObject({ ok: false, error: { code: 'refused-by-rule' } })
})

test('[X8] a long body that is given back is taken, although nobody may type that much at once', () => {
  const update = typistOf(writerOf('bob')).types('x'.repeat(limits.textUpdateBytesMax + 1))
  const row = rowOf(relayWith([insert, markOf('bob', now - 9)], [{ kind: 'type' }, markOf('bob', now - 5)]))
  const given = { key: note, row, texts: new Map([[body, [update]]]) }
  expect(judgeGiven(given, contextOf(relayWith(), 'alice')).ok).toBe(true)
  const typed = typistOf(writerOf('alice')).types('x'.repeat(limits.textUpdateBytesMax + 1))
  const relay = relayWith([insert, markOf('bob', now - 9)])
  expect(codeOf(judges(relay, typing(typed, markOf('alice', now))))).toBe('limit-exceeded')
})
