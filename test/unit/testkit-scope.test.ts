// What a simulated tab that was frozen does when it goes on.
import { createScope, createSimulatedClock } from '@rejoin/testkit'
import { expect, test } from 'vitest'

test('what was due while a scope was frozen happens when it thaws, each with what it set going before the next', async () => {
  const clock = createSimulatedClock()
  const scope = createScope(clock)
  const happened: string[] = []
  for (const name of ['first', 'second'])
    scope.after(10, () => {
      happened.push(name)
      queueMicrotask(() => happened.push(`${name} is told`))
    })
  scope.freeze()
  await clock.advance(20)
  scope.thaw()
  expect(happened).toEqual([])
  await clock.advance(0)
  expect(happened).toEqual(['first', 'first is told', 'second', 'second is told'])
})

test('a scope that freezes or dies before what was due has happened keeps it, or lets it go', async () => {
  const clock = createSimulatedClock()
  const scope = createScope(clock)
  let happened = 0
  scope.after(10, () => (happened += 1))
  const cancel = scope.after(10, () => (happened += 10))
  scope.freeze()
  await clock.advance(20)
  scope.thaw()
  scope.freeze()
  await clock.advance(0)
  cancel()
  scope.thaw()
  await clock.advance(0)
  expect(happened).toBe(1)
  scope.after(10, () => (happened += 1))
  scope.freeze()
  await clock.advance(20)
  scope.thaw()
  scope.kill()
  await clock.advance(0)
  expect(happened).toBe(1)
})
